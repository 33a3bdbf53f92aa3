"""Jobs of a finished run once more, each on a machine that is short of something.

A job sees the run through an overlay whose upper layer is a small tmpfs, in a mount namespace of its own: what it
writes goes there, and the run stays as it is. It has no network interface. Needs the rights of root.
"""

import ctypes
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers import run_script, warm
from helpers.fork import Fork
from helpers.workflow import asked_of_network, counters

PAGE = os.sysconf("SC_PAGE_SIZE")
SECONDS = 300
_PLENTY = "size=2g,nr_inodes=100000"
_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000  # CLONE_NEWNS, CLONE_NEWNET of sched.h


@dataclass(frozen=True)
class Short:
    """What a machine is short of.

    pages: of the disk that the outputs do not get; inodes: files and folders that can be made; descriptors: files that
    may be open; memory: bytes that a process may take beside what it begins with; temporary: whether $TMPDIR is full.
    """

    pages: int | None = None
    inodes: int | None = None
    descriptors: int | None = None
    memory: int | None = None
    temporary: bool = False


@dataclass(frozen=True)
class Tried:
    """How a job ended: its status, what its user was told, whether its seal stands, which files are not the run's; how
    often it asked the network for something."""

    status: int
    told: str
    sealed: bool
    others: list[str]
    asked: int


def allowed() -> bool:
    """Whether file systems can be mounted here, in a namespace."""
    made = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
    return os.geteuid() == 0 and made.returncode == 0


def tried(run: Path, job: dict, before: Iterable[dict], shortages: dict[str, Short]) -> dict[str, Tried]:
    """A job (of `helpers.dag`) of the run under each shortage in turn, its outputs taken away before each; `before`:
    jobs that make what it needs and the run has no more."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        given = {"run": str(run), "job": job, "before": list(before)}
        given["shortages"] = {name: asdict(short) for name, short in shortages.items()}
        (folder / "given.json").write_text(json.dumps(given))
        command = [__file__, place]
        with (
            (folder / "said").open("w") as said,
            Fork(warm._server(), "script", command, os.environ, [said.fileno()] * 2, 0) as fork,
        ):
            status = fork.wait()
        assert status == 0, (folder / "said").read_text()
        found = json.loads((folder / "found.json").read_text())
    return {name: Tried(**one) for name, one in found.items()}


def _files(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        inside = sorted(Path(path).rglob("*")) if Path(path).is_dir() else [Path(path)]
        yield from (str(one) for one in inside if one.is_file() and not one.name.startswith(".snakemake"))


def _made(job: dict) -> dict[str, str]:
    """SHA-256 of each file of a job: as its seal has it, which outlives the file, else as it is."""
    found = {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in _files(_outputs(job))}
    seal = job["output"].get("seal")
    if seal and seal in found:
        sealed = json.loads(Path(seal).read_text())["files"]
        found |= {os.path.normpath(Path(seal).parent / name): digest for name, (digest,) in sealed.items()}
    return found


def _outputs(job: dict) -> list[str]:
    return list(run_script.Files(job["output"]))


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def _main(place: Path) -> None:
    given = json.loads((place / "given.json").read_text())
    run, job, layer, full = Path(given["run"]), given["job"], place / "layer", place / "full"
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("--make-rprivate", "/")
    os.chdir(run)
    wanted = _made(job)
    pages = sum(-(-Path(path).stat().st_size // PAGE) for path in _files(_outputs(job)))
    for folder, options in ((layer, _PLENTY), (full, f"size={PAGE},nr_inodes=2")):
        folder.mkdir()
        _mount("-t", "tmpfs", "-o", options, "none", folder)
    (full / "x").write_bytes(bytes(PAGE))
    for name in ("upper", "work"):
        (layer / name).mkdir()
    _mount("-t", "overlay", "-o", f"lowerdir={run},upperdir={layer}/upper,workdir={layer}/work", "none", run)
    os.chdir(run)
    for one in given["before"]:
        _emptied(one)
        assert _once(one, Short(), layer, full, pages)[0] == 0, one["rule"]
    found = {}
    for name, short in given["shortages"].items():
        _emptied(job)
        before = asked_of_network(counters())
        status, told = _once(job, Short(**short), layer, full, pages)
        now, seal = _made(job), job["output"].get("seal")
        others = sorted(path for path in {*wanted, *now} if wanted.get(path) != now.get(path))
        asked = asked_of_network(counters()) - before
        found[name] = asdict(Tried(status, told, bool(seal) and Path(seal).is_file(), others, asked))
    (place / "found.json").write_text(json.dumps(found))


def _emptied(job: dict) -> None:
    """Take away what a job makes, as Snakemake does before it."""
    for path in map(Path, _outputs(job)):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)


def _once(job: dict, short: Short, layer: Path, full: Path, pages: int) -> tuple[int, str]:
    """Status of the job, -1 where it hangs, and what its user is told. pages: of its outputs."""
    there = os.statvfs(layer)
    limits = []
    if short.pages is not None:
        limits.append(f"size={(there.f_blocks - there.f_bfree + max(1, pages - short.pages)) * PAGE}")
    if short.inodes is not None:
        limits.append(f"nr_inodes={there.f_files - there.f_ffree + short.inodes}")
    if limits:
        _mount("-o", ",".join(["remount", *limits]), layer)

    def body() -> None:
        if short.temporary:
            os.environ["TMPDIR"], tempfile.tempdir = str(full), None
        if short.descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (short.descriptors, short.descriptors))
        if short.memory is not None:
            most = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE + short.memory
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        run_script.run_spec(job)

    with tempfile.TemporaryFile("w+") as told:
        status = _forked(body, told.fileno())
        told.seek(0)
        text = told.read()
    _mount("-o", f"remount,{_PLENTY}", layer)
    return status, text


def _forked(body: Callable[[], None], out: int) -> int:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.setpgid(0, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            body()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException as error:
            os.write(2, f"Traceback: {error!r}\n".encode())
        finally:
            os._exit(status)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, code = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(code)
        time.sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -1


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
