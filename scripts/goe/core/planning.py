"""What Snakemake does for each job of a plan, though it is the same for all jobs of a rule, or for no job of ours.

These are private parts of Snakemake 9.27.1: another version plans as it does of itself, slower and in more memory.
`tests/unit/core/test_planning.py` compares both plans; docs/performance.md says what they take.
"""

import atexit
import functools
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

KNOWN = "9.27.1"
_THRESHOLD = gc.get_threshold()


def begin() -> None:
    """In the process that plans, before its first rule."""
    # A plan of 20,000 people is millions of objects that stay. Looking through all of them for garbage, again whenever
    # they are a quarter more, took 14 % of its time and found nothing: what is thrown away is thrown away at once.
    young, middle, _ = _THRESHOLD
    gc.set_threshold(young, middle, 1 << 30)
    # Nor at the end of the process.
    atexit.register(gc.freeze)
    import snakemake

    if snakemake.__version__ == KNOWN:
        _once_a_rule()
        _without_tasks()
        _without_empty_sets()
        _by_folder()


def end() -> None:
    """Before the first job: what is planned is looked through no more, and what the run makes from now on is."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLD)


def _instead(owner: Any, name: str, made: Callable[[Any], Any]) -> None:
    """Put `made(what it was)` in the place of an attribute, the first time."""
    was = owner.__dict__[name]
    if not hasattr(was, "_goe_instead"):
        now = made(was)
        now._goe_instead = True
        setattr(owner, name, now)


def _kept(rule: Any, name: str) -> dict[Any, Any]:
    """What is known of a rule, for as long as there is that rule: those of two workflows can be equal."""
    known: dict[str, dict[Any, Any]] = rule.__dict__.setdefault("_goe_kept", {})
    return known.setdefault(name, {})


class _Property(property):
    """A property that can be told from the one that it replaces."""


def _once_a_rule() -> None:
    """Ask a rule once for its script and its environment, where they have no wildcard in them.

    Asked for each job they want its parameters, which are read no more until the job begins, and hold them in memory.
    """
    from snakemake import common, rules
    from snakemake.dag import ScriptProcessor
    from snakemake.jobs import Job

    def environment(was: Any) -> Any:
        def of(job: Any) -> Any:
            known = job.rule._expanded_conda_env
            return was.fget(job) if known is rules._NOT_CACHED else known

        return _Property(of)

    def source(was: Any) -> Any:
        def of(job: Any, path: Any) -> Any:
            if "{" in str(path):
                return was(job, path)
            found = _kept(job.rule, "source")
            if path not in found:
                found[path] = was(job, path)
            return found[path]

        return of

    def accessible(was: Any) -> Any:
        def of(processor: Any, job: Any) -> None:
            kind = processor.script_type
            seen = _kept(job.rule, "accessible")
            if kind in seen:
                return
            was(processor, job)
            if "{" not in str(getattr(job.rule, kind)):
                seen[kind] = True

        return of

    _instead(Job, "conda_env_spec", environment)
    _instead(Job, "_path_to_source_file", source)
    _instead(ScriptProcessor, "process_job", accessible)
    # What a function of a rule is called with.
    for module in (common, rules):
        _instead(module, "get_function_params", functools.lru_cache(maxsize=10_000))


def _without_tasks() -> None:
    """Look at the outputs of a job one by one: tasks for each, of all jobs at once, take a fifth of a plan's memory."""
    from snakemake.jobs import Job

    def oldest(was: Any) -> Any:
        async def of(job: Any) -> Any:
            if job.benchmark:
                return await was.fget(job)
            times = [(await file.mtime()).local_or_storage() for file in job.output if await file.exists()]
            return min(times, default=None)

        return _Property(of)

    _instead(Job, "output_mintime", oldest)


def _without_empty_sets() -> None:
    """Let jobs share the sets of special files that they do not have, which are filled when a job is made."""
    from snakemake.jobs import Job

    names = "temp_output", "protected_output", "touch_output", "pipe_or_service_output", "_queue_input"
    none: frozenset[Any] = frozenset()

    def job(was: Any) -> Any:
        @functools.wraps(was)
        def of(self: Any, *args: Any, **kwargs: Any) -> None:
            was(self, *args, **kwargs)
            for name in names:
                if not getattr(self, name):
                    setattr(self, name, none)

        return of

    _instead(Job, "__init__", job)


def _by_folder() -> None:
    """Ask whether an output lies in another by the folders that there are, not by the order of all outputs."""
    from snakemake.dag import DAG

    def hold(was: Any) -> Any:
        def of(dag: Any) -> None:
            here = Path.cwd()
            outputs = {file if file.startswith("/") else f"{here}/{file}" for job in dag.jobs for file in job.output}
            folders: set[str] = set()
            for path in outputs:
                while (path := path.rpartition("/")[0]) not in folders:
                    folders.add(path)
            if folders & outputs:
                was(dag)  # which tells of whose they are

        return of

    _instead(DAG, "check_directory_outputs", hold)
