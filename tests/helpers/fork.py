"""Who asks the server of `helpers.warm` for a process. It loads little: of a cluster it is the program of each job."""

import json
import os
import socket
import sys


class Fork:
    """A process that the server starts; left before its end, a Snakemake is killed.

    kind: snakemake, multiqc or script. outputs: descriptors of its stdout and stderr. group: 0 for one of its own.
    """

    def __init__(self, server: str, kind: str, arguments: list[str], env, outputs: list[int], group: int) -> None:
        umask = os.umask(0o077)
        os.umask(umask)
        request = {"kind": kind, "arguments": arguments, "env": dict(env), "umask": umask, "group": group}
        request["folder"] = os.getcwd()  # noqa: PTH109 (no time to load pathlib)
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(server)
        socket.send_fds(self._connection, [json.dumps(request).encode()], outputs)
        self.pid = int(self._connection.recv(64))

    def wait(self) -> int:
        """Its exit status."""
        return int(self._connection.recv(64))

    def __enter__(self) -> "Fork":
        return self

    def __exit__(self, *_) -> None:
        self._connection.close()


def multiqc(server: str) -> int:
    """What the program of that name does, which stands before the environment's on the PATH of forks."""
    with Fork(server, "multiqc", sys.argv, os.environ, [1, 2], os.getpgrp()) as fork:
        return fork.wait()


def job(interpreter: str, server: str) -> int:
    """What the Python of jobs does: the exit status of a fork; whatever is no Snakemake becomes the interpreter."""
    if sys.argv[1:3] != ["-m", "snakemake"]:
        os.execv(interpreter, [interpreter, *sys.argv[1:]])
    env, command = {**os.environ, "GOE_WARM": server}, ["snakemake", *sys.argv[3:]]
    with Fork(server, "snakemake", command, env, [1, 2], 0) as fork:
        return fork.wait()
