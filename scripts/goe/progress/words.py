"""How far a run is, in lines for a terminal: numbers and names of rules, and of no person, file or log."""

from collections.abc import Iterator

from goe.pages.svg import num
from goe.progress.state import OfRule, State, core_hours


def duration(seconds: float) -> str:
    """The two largest units of it: 93784 -> 1 d 2 h."""
    whole = round(seconds)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{n} {unit}" for n, unit in parts[:2] if n) or "0 s"


def size(number: float) -> str:
    """Bytes with their unit, of three digits: 15234567890 -> 15.2 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB" if number < 999.5 else f"{num(round(number))} TB"


def hours(value: float) -> str:
    """Core-hours, of two digits where they are few."""
    if 0 < value < 0.01:
        return "below 0.01"
    return f"{value:.2g}" if value < 9.95 else num(round(value))


def is_at(state: State) -> str:
    """What the run does, and for how long it has."""
    if not state.run.began:
        return "nothing is kept of a run that began here"
    took = duration(state.seconds)
    if state.run.ended is None:
        return f"at work for {took}, unless it was killed"
    return f"done after {took}" if state.run.well else f"stopped after {took}"


def left(state: State) -> str:
    """Time that it may still take, and of what it says nothing."""
    seconds, unknown = state.left
    if state.run.ended is not None or not any(rule.left for rule in state.rules):
        return ""
    if seconds is None:
        return f"not known before a job of {', '.join(unknown)} has ended" if unknown else "not known"
    told = f"about {duration(seconds)}"
    return f"{told}, without jobs of {', '.join(unknown)} of a kind of which none has ended" if unknown else told


def amount(rules: list[OfRule]) -> tuple[int, int, int, int]:
    """Of rules together: jobs done, all jobs, jobs at work, jobs that failed."""
    return (
        sum(rule.done for rule in rules),
        sum(rule.jobs for rule in rules),
        sum(rule.at_work for rule in rules),
        sum(len(rule.failed) for rule in rules),
    )


def _cost(rules: list[OfRule]) -> list[str]:
    taken = [one for rule in rules for one in rule.taken]
    most = [f"{size(max(one.memory_mb for one in taken) * 1e6)} a job at most"] if taken else []
    return [f"{hours(core_hours(taken))} core-hours", *most]


def lines(state: State) -> Iterator[str]:
    """The run, each stage, all of them, the time left, and what is to be looked at."""
    yield is_at(state)
    width = max([len(stage) for stage in state.stages], default=0)
    for stage, rules in state.stages.items():
        yield f"{stage:{width}}  {_stage(rules, [size(state.disk_of(stage))])}"
    yield f"{'all':{width}}  {_stage(state.rules, [size(sum(n for n, _ in state.disk.values()))])}"
    if rest := left(state):
        yield f"time left: {rest}"
    yield from to_look_at(state)


def to_look_at(state: State) -> Iterator[str]:
    """Rules whose jobs failed, and how many ask for what they do not need, or hardly had enough."""
    if failed := {rule.name: len(rule.failed) for rule in state.rules if rule.failed}:
        yield f"failed: {', '.join(f'{name} {num(n)}' for name, n in failed.items())}"
    if state.run.ended and (told := [request.rule for request in state.requests if request.told]):
        yield f"rules that could ask for memory or time closer to what they take: {len(told)}"


def _stage(rules: list[OfRule], more: list[str]) -> str:
    done, jobs, at_work, failed = amount(rules)
    said = [f"{num(done)} of {num(jobs)} jobs done"]
    said += [f"{num(n)} {what}" for n, what in ((at_work, "at work"), (failed, "failed")) if n]
    return ", ".join([*said, *_cost(rules), *more])
