"""`work/summary.html`: how far a run is and what it takes, on a page that needs no network.

Lines of logs may name people, so it stays under work/ and is readable for its owner alone. Words and markup are in
resources/pages/progress.html.j2.
"""

import time
from pathlib import Path

from markupsafe import Markup

from goe import __version__
from goe.core.files import write_whole
from goe.pages import html, svg
from goe.pages.html import Table, mono, name
from goe.pages.svg import num, percent
from goe.progress import words
from goe.progress.state import OfRule, Request, State, core_hours, last_lines

PLACE = "work/summary.html"
TITLES = {"stages": "Stages", "failed": "Failed jobs", "requests": "Requests", "disk": "Disk"}
_SHOWN = 20  # failed jobs whose last lines are shown
_STAGE = Markup("<strong>{}</strong>")
_KINDS = (("f-accent", "done"), ("f-some", "at work"), ("f-bad", "failed"))


def write(state: State) -> Path:
    """Write the page into the folder of the run, whole or not at all; its place."""
    place = state.folder / PLACE
    write_whole(place, page(state))
    place.chmod(0o600)
    return place


def page(state: State) -> str:
    """The page as text."""
    done, jobs, at_work, failed = words.amount(state.rules)
    now = [one for rule in state.rules for one in rule.now]
    everything = [one for rule in state.rules for one in rule.taken]
    logs = [(rule, log) for rule in state.rules for log in rule.failed]
    figures = [
        ("Jobs done", num(done), f"of {num(jobs)}, {num(at_work)} at work"),
        ("Failed", num(failed), "by this run, or killed"),
        ("Core-hours", words.hours(core_hours(now)), f"of this run; {words.hours(core_hours(everything))} of all"),
        ("On disk", words.size(sum(size for size, _ in state.disk.values())), "work/ and release/"),
    ]
    requests = state.requests
    return html.page(
        "progress.html.j2",
        css=["report/page.css", "progress/page.css"],
        scripts=(),
        titles=TITLES,
        facts={},
        said=words.is_at(state),
        left=words.left(state),
        at_work=bool(state.run.began and state.run.ended is None),
        at=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(state.now)),
        figures=figures,
        bars=_bars(state),
        legend=_KINDS,
        stages=_stages(state),
        failed=[
            {"rule": rule.name, "log": str(log.relative_to(state.folder)), "lines": last_lines(log)}
            for rule, log in logs[:_SHOWN]
        ],
        more=num(max(0, len(logs) - _SHOWN)) if len(logs) > _SHOWN else "",
        requests=_requests(requests),
        asked="\n".join(f"  {one.rule}: {_asking(one)}" for one in requests if one.told),
        disk=_disk(state),
        made_with=f"goe {__version__}",
    )


def _bars(state: State) -> svg.Plot:
    rows = []
    for stage, rules in state.stages.items():
        done, jobs, at_work, failed = words.amount(rules)
        if jobs:
            parts = [(cls, n / jobs) for (cls, _), n in zip(_KINDS, (done, at_work, failed), strict=True)]
            rows.append((stage, parts, f"{num(done)} of {num(jobs)}"))
    told = "; ".join(f"{stage}: {figure}" for stage, _, figure in rows)
    return svg.bars("stages-done", "Jobs done by stage", told, rows, 1)


def _stages(state: State) -> Table:
    heads = ["Rule", "Jobs", "Done", "At work", "Failed", "Core-hours", "Mean time", "Most memory", "On disk"]
    rows = []
    for stage, rules in state.stages.items():
        rows.append([_STAGE.format(stage), *_numbers(rules), words.size(state.disk_of(stage))])
        rows += [[name(rule.name), *_numbers([rule]), ""] for rule in rules]
    foot = ["All", *_numbers(state.rules), words.size(sum(size for size, _ in state.disk.values()))]
    return Table(heads, rows, range(1, len(heads)), "Jobs by stage and rule", foot)


def _numbers(rules: list[OfRule]) -> list[str]:
    done, jobs, at_work, failed = words.amount(rules)
    taken = [one for rule in rules for one in rule.taken]
    if not taken:
        return [num(jobs), num(done), num(at_work), num(failed), "–", "–", "–"]
    clock, most = sum(one.seconds for one in taken) / len(taken), max(one.memory_mb for one in taken)
    cost = [words.hours(core_hours(taken)), words.duration(clock), words.size(most * 1e6)]
    return [num(jobs), num(done), num(at_work), num(failed), *cost]


def _requests(requests: list[Request]) -> Table | None:
    """None where no job has ended."""
    heads = ["Rule", "Jobs", "Cores", "Threads", "Most memory", "Asked for", "Share", "Longest", "Asked for", "Share"]
    rows = [
        [
            *(name(one.rule), num(one.jobs), f"{one.cores:.2g}", num(one.threads)),
            *(words.size(one.most_mb * 1e6), words.size(one.memory_mb * 1e6) if one.memory_mb else "–"),
            percent(one.most_mb / one.memory_mb) if one.memory_mb else "–",
            *(words.duration(one.longest * 60), words.duration(one.minutes * 60) if one.minutes else "–"),
            percent(one.longest / one.minutes) if one.minutes else "–",
        ]
        for one in requests
    ]
    return Table(heads, rows, range(1, len(heads)), "What jobs took of what they asked for") if rows else None


def _asking(one: Request) -> str:
    """As a profile of Snakemake has it."""
    return f'{{mem_mb: "{one.next_mb} * attempt", runtime: "{one.next_minutes} * attempt"}}'


def _disk(state: State) -> Table:
    rows = [[mono(folder), words.size(size), num(files)] for folder, (size, files) in state.disk.items()]
    total = [sum(values) for values in zip(*state.disk.values(), strict=True)] or [0, 0]
    return Table(["Folder", "On disk", "Files"], rows, (1, 2), "Disk", ["All", words.size(total[0]), num(total[1])])
