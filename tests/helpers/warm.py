"""Snakemake, the jobs it starts, and their MultiQC, in processes that begin with what they import.

Nine tenths of a small job are the imports of numba, pyarrow, Snakemake and goe, half of MultiQC are its own. One server
of each test process has them loaded, and forks for every run and every job. A fork has the arguments, folder,
environment, umask and output that a process of its own would have, and its end: no function of goe was called before
it. Loaded modules, hash seed and numba's settings are those of the server, a kernel that a fork has loaded is there in
later ones, and a Snakefile or a template of a page is translated once while its text is the same. So some runs are
compared with one whose Snakemake, and first job of each script, a user could have started (`helpers.workflow`,
`alone`).
"""

import atexit
import gc
import hashlib
import importlib.util
import json
import os
import pickle
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, partial, partialmethod
from pathlib import Path

from helpers import compiled, huge
from helpers.fork import Fork

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LIBRARIES = """
crypt4gh.keys.c4gh crypt4gh.lib cyvcf2 isal.igzip jinja2 jsonschema matplotlib.backends.backend_agg matplotlib.pyplot
multiqc.__main__ multiqc.core.special_case_modules.custom_content multiqc.core.special_case_modules.software_versions
multiqc.templates.default nbformat numba pandas plotly.graph_objs.layout polars pyarrow.compute pyarrow.csv
pyarrow.dataset pyarrow.json pyarrow.parquet pyshacl pysam rdflib scipy.optimize scipy.special scipy.stats smart_open
snakemake.cli snakemake.report yaml
"""
MESSAGE = 1 << 17


@dataclass
class Request:
    """What a process gets from the one that starts it (`helpers.fork`)."""

    kind: str
    arguments: list[str]
    env: dict[str, str]
    folder: str
    umask: int
    group: int


def main() -> None:
    """The server: `python -m helpers.warm SOCKET`, until its stdin is closed.

    A run whose test was killed finds no server for its next job, and ends. A Snakemake is killed with who waits for it.
    """
    watched: dict[int, tuple[int, socket.socket]] = {}
    led: dict[socket.socket, int] = {}  # the group of each Snakemake, by who waits for it
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        print("listening", flush=True)
        loaded, tell = os.pipe()
        os.set_blocking(tell, False)
        _load(tell)
        _templates_once(sys.argv[1])
        gc.freeze()
        huge.collapse()
        while sys.stdin not in (ready := select.select([listener, sys.stdin, loaded, *watched, *led], [], [])[0]):
            for one in ready:
                if one == loaded:
                    compiled.load(os.read(loaded, MESSAGE).decode())
                elif one is listener:
                    connection, message, outputs = _asked(listener)
                    if not message:  # who asked was killed before it said for what
                        connection.close()
                        continue
                    request = Request(**json.loads(message))
                    pid = _fork(listener, connection, request, outputs)
                    watched[os.pidfd_open(pid)] = pid, connection
                    if request.kind == "snakemake":
                        led[connection] = pid
                elif one in watched:
                    pid, connection = watched.pop(one)
                    led.pop(connection, None)
                    _tell(pid, connection)
                    os.close(one)
                elif one in led:  # nobody waits any more
                    with suppress(ProcessLookupError):
                        os.killpg(led.pop(one), signal.SIGKILL)


def _asked(listener: socket.socket) -> tuple[socket.socket, bytes, list[int]]:
    """Who asks for a process, what was sent, and the descriptors that came with it."""
    connection = listener.accept()[0]
    try:
        message, outputs, _, _ = socket.recv_fds(connection, MESSAGE, 2)
    except ConnectionError:
        return connection, b"", []
    return connection, message, outputs


def _fork(listener: socket.socket, connection: socket.socket, request: Request, outputs: list[int]) -> int:
    """Start the process that is asked for; its number, which is told."""
    pid = os.fork()
    if not pid:
        listener.close()
        os._exit(_work(request, outputs))
    for output in outputs:
        os.close(output)
    if not request.group:
        os.setpgid(pid, pid)
    _say(connection, pid)
    return pid


def _say(connection: socket.socket, number: int) -> None:
    """Tell it who waits for it. Who was killed meanwhile is nobody: the others still need the server."""
    with suppress(ConnectionError):
        connection.send(str(number).encode())


def _tell(pid: int, connection: socket.socket) -> None:
    """The exit status of a process that has ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with connection:
        _say(connection, status)


def _load(tell: int) -> None:
    for name in LIBRARIES.split():
        importlib.import_module(name)
    sys.path.insert(0, str(SCRIPTS))
    goe = importlib.import_module("goe")
    for module in pkgutil.walk_packages(goe.__path__, "goe."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    sys.path.remove(str(SCRIPTS))
    from numba.core.registry import cpu_target
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # loads every plugin
    compiled.once(tell)
    # What numba would look up at the first call of a compiled function.
    cpu_target.target_context.refresh()
    cpu_target.typing_context.refresh()
    # What these modules have left for the end of the server, each fork would do at its own: a third of the shortest.
    weakref.finalize._registry.clear()


def _work(request: Request, outputs: list[int]) -> int:
    os.setpgid(0, request.group)
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
        os.close(output)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.env)
    os.umask(request.umask)
    sys.argv = request.arguments
    try:
        _site()
        if request.kind == "snakemake":
            _snakemake()
        elif request.kind == "multiqc":
            _multiqc()
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _site() -> None:
    """What a process of its own does with PYTHONPATH at its start."""
    if added := os.environ.get("PYTHONPATH"):
        sys.path[:0] = added.split(os.pathsep)
        sys.modules.pop("sitecustomize", None)  # that of Debian's Python
        if importlib.util.find_spec("sitecustomize"):
            importlib.import_module("sitecustomize")


def _snakemake() -> None:
    """The command, whose Python scripts are forks too."""
    from snakemake import cli
    from snakemake.script import PythonScript

    server = os.environ.pop("GOE_WARM")

    def execute_script(self: PythonScript, fname: str, edit: bool = False) -> None:
        _forked(server, os.environ, self, fname)

    PythonScript.execute_script = execute_script
    _translated_once(Path(server).parent)
    cli.main(sys.argv[1:])


def _multiqc() -> None:
    """The command, which does not look each time whether the schema of its own settings is one, a third of its time,
    and reads these settings, twice, by the parser in C of the same library, a third of the rest."""
    import yaml
    from jsonschema import Draft202012Validator
    from multiqc.__main__ import run_multiqc

    yaml.safe_load = partial(yaml.load, Loader=yaml.CSafeLoader)
    Draft202012Validator.check_schema = classmethod(lambda cls, schema, *given, **named: None)
    run_multiqc()


def as_a_user() -> None:
    """The command in a process of its own, as is the first job of each script, without what `make test` tells numba:
    each script has to import what it needs, and runs with kernels as everybody has them. Its further jobs are forks."""
    from snakemake import cli
    from snakemake.script import PythonScript

    server = os.environ.pop("GOE_WARM")
    checked = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("NUMBA_")}
    own_process, begun = PythonScript.execute_script, set()

    def execute_script(self: PythonScript, fname: str, edit: bool = False) -> None:
        script = Path(fname).name.split(".", 1)[1]  # before it a name that Snakemake makes up
        if script in begun:
            _forked(server, {**os.environ, **checked}, self, fname)
        else:
            begun.add(script)
            own_process(self, fname, edit)

    PythonScript.execute_script = execute_script
    sys.argv[0] = "snakemake"
    cli.main(sys.argv[1:])


def _forked(server: str, env: Mapping[str, str], script, path: str) -> None:
    """Run the file that Snakemake has made of a job's script (a PythonScript) in a fork."""
    from snakemake.benchmark import benchmarked

    with Fork(server, "script", [path], env, [1, 2], os.getpgrp()) as fork:
        measured = benchmarked(fork.pid, script.bench_record) if script.bench_record else nullcontext()
        with measured:  # for the table that the rule writes
            status = fork.wait()
    if status:
        raise subprocess.CalledProcessError(status, path)


def _translated_once(folder: Path) -> None:
    """Let Snakemake keep its translations of Snakefiles to Python, half of the time of a short run, in `folder`."""
    from snakemake import workflow

    translate = workflow.parse

    def parse(path, workflow, linemap: dict[int, int], rulecount: int) -> tuple[str, int]:
        name = path.get_path_or_uri(secret_free=True)
        what = hashlib.sha256(f"{name}\n{rulecount}\n".encode() + Path(name).read_bytes())
        kept = folder / what.hexdigest()
        try:
            code, rulecount, lines = pickle.loads(kept.read_bytes())
            linemap.update(lines)
        except FileNotFoundError:
            code, rulecount = translate(path, workflow, rulecount=rulecount, linemap=linemap)
            made = kept.with_suffix(f".{os.getpid()}")
            made.write_bytes(pickle.dumps((code, rulecount, linemap)))
            made.rename(kept)
        return code, rulecount

    workflow.parse = parse


def _templates_once(server: str) -> None:
    """Let jinja2 keep the code of its templates, half of the time of a page, beside the address of the server."""
    from jinja2 import Environment, FileSystemBytecodeCache

    class Kept(FileSystemBytecodeCache):
        def get_cache_key(self, name: str, filename: str | None = None) -> str:
            return super().get_cache_key(name)  # MultiQC has its templates in another folder each time

    Environment.__init__ = partialmethod(Environment.__init__, bytecode_cache=Kept(str(Path(server).parent)))


@cache
def _server() -> str:
    """Address of the server of this process, which ends with it."""
    kept = ExitStack()
    atexit.register(kept.close)
    path = kept.enter_context(tempfile.TemporaryDirectory()) + "/warm"
    _write_program(Path(path).parent / "programs/multiqc", f"fork.multiqc({path!r})")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "helpers.warm", path]
    server = kept.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env))
    assert server.stdout and server.stdout.readline() == b"listening\n"
    return path


def snakemake(
    arguments: list[str], env: Mapping[str, str], timeout: int, inside: list[str] | None = None
) -> tuple[int, str]:
    """Exit status and output (stdout, stderr together) of `snakemake` with these arguments. inside: what a command of
    `as_a_user` is put behind; None for a fork."""
    env = {**env, "GOE_WARM": _server()}
    if inside is not None:
        start = f"import sys; sys.path.append({str(Path(__file__).parents[1])!r}); from helpers import warm"
        command = [*inside, sys.executable, "-c", f"{start}; warm.as_a_user()", *arguments]
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, **both, text=True, timeout=timeout, env=env)
        return done.returncode, done.stdout
    if shutil.which("multiqc", path=env["PATH"]) == f"{sys.prefix}/bin/multiqc":
        env["PATH"] = f"{Path(_server()).parent}/programs:{env['PATH']}"
    return ended("snakemake", ["snakemake", *arguments], env, timeout)


def script(spec: Path) -> tuple[int, str]:
    """Exit status and output of the script that a JSON file describes (`helpers.run_script`)."""
    return ended("script", [str(Path(__file__).with_name("run_script.py")), str(spec)], os.environ, 600)


def ended(kind: str, arguments: list[str], env: Mapping[str, str], timeout: int) -> tuple[int, str]:
    """Exit status and output of a fork; it and what it has started are killed after so many seconds."""
    with tempfile.TemporaryFile("w+") as out:
        both = [out.fileno()] * 2
        with Fork(_server(), kind, arguments, env, both, 0) as fork:
            late = threading.Timer(timeout, os.killpg, (fork.pid, signal.SIGKILL))
            late.daemon = True
            late.start()
            status = fork.wait()
            late.cancel()
        out.seek(0)
        return status, out.read()


def of_jobs(folder: Path) -> dict[str, str]:
    """Environment of a Snakemake that submits jobs to a cluster, so that these run `python -m snakemake` in forks.

    It finds another Python in `folder`, `PYTHON`: a program that asks the server and waits. Whoever kills that kills
    the fork, which hears of no other signal.
    """
    program = folder / "python"
    _write_program(program, f"fork.job({sys.executable!r}, {_server()!r})")
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(program)!r}\n")
    return {"PYTHONPATH": str(folder), "PYTHON": str(program)}


def _write_program(path: Path, call: str) -> None:
    """A program that ends with the exit status that the call of a function of `helpers.fork` returns."""
    lines = [f"#!{sys.executable} -IS", "import sys", f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})"]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([*lines, "from helpers import fork", f"sys.exit({call})", ""]))
    path.chmod(0o700)


if __name__ == "__main__":
    main()
