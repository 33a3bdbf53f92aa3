"""A SLURM on this machine for the tests: controller, accounting, two virtual nodes on loopback, all below one folder.

Every daemon is the first process of a process namespace of its own. So a node that is killed takes its jobs with it at
once, as a machine does whose power fails; and nothing outlives the tests, however they end: a namespace goes with the
process that started it. Nodes claim more CPUs and memory than there are, so that the requests of the profiles fit.
"""

import getpass
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PROGRAMS = ["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "setpriv", "unshare"]
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NODES = ("n1", "n2")
# What dies with the process that started it; a namespace, with everything that was started there.
MORTAL = ["setpriv", "--pdeathsig", "KILL"]
NAMESPACE = [*MORTAL, "unshare", *(["--user", "--map-current-user"] if os.getuid() else [])]
NAMESPACE += ["--pid", "--mount-proc", "--fork", "--kill-child"]
# As sacct calls them.
COLUMNS = ["JobIDRaw", "Comment", "State", "NodeList", "ReqMem", "Timelimit", "Partition", "Account", "Start", "End"]

SETTINGS = """\
ClusterName=goe
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
PropagateResourceLimits=NONE
# A job begins as soon as it can.
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
# Memory is looked at every second.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# A dead node is missed after ten seconds.
SlurmdTimeout=10
ReturnToService=2
KillWait=5
# Of a slow machine, too, squeue shows every job.
MinJobAge=3600
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/ended
PartitionName=short Nodes=ALL MaxTime=60
PartitionName=normal Nodes=ALL MaxTime=1-00:00:00 Default=YES
PartitionName=long Nodes=ALL MaxTime=14-00:00:00
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=128 RealMemory=1000000 Feature={name}\n"
WITH_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd}
AccountingStoragePass={folder}/munge.socket
AccountingStoreFlags=job_comment
"""
SETTINGS_OF_ACCOUNTING = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={slurmdbd}
CommunicationParameters=NoInAddrAny
SlurmUser={user}
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct_db
"""
# The step inside a job is started without SLURM_CONF; a site has /etc/slurm/slurm.conf.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""
# Snakemake asks for the states of its jobs, whose name is last, and waits ten seconds longer each time that none has
# ended. So the answer waits, at most as long as that, until one has. With AT_ONCE it does not, and leaves `asked.NAME`.
SQUEUE = """\
#!/bin/bash
if [[ "$*" != *--states=all* ]]; then exec {squeue} "$@"; fi
if [ -n "$AT_ONCE" ]; then {squeue} "$@"; status=$?; touch {folder}/asked.${{!#}}; exit $status; fi
told={folder}/told.${{!#}}
[ -e "$told" ] || echo 0 >"$told"
for second in {{1..10}}; do
    for fifth in {{1..5}}; do
        if [ "$(grep -c "${{!#}}" {folder}/ended)" -gt "$(<"$told")" ]; then break; fi
        sleep 0.2
    done
    states=$({squeue} "$@") || exit
    ended=$(grep -cE "COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL" <<<"$states")
    if [ "$ended" -gt "$(<"$told")" ]; then break; fi
done
echo "$ended" >"$told"
printf '%s\n' "$states"
"""


def why_not() -> str | None:
    """Why there can be no SLURM here; None if there can."""
    if missing := [name for name in PROGRAMS if not shutil.which(name, path=PATH)]:
        return f"no {', '.join(missing)}: `scripts/setup.sh tests` installs SLURM on Debian, as root"
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    return f"no process namespaces for SLURM: {tried.stderr.strip()}" if tried.returncode else None


def wait_for(what: str, holds: Callable[[], object], seconds: float = 120):
    """The first true value of `holds()`, which is asked four times a second."""
    until = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < until, f"no {what} after {seconds} s"
        time.sleep(0.25)
    return value


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


class Cluster:
    """A running SLURM, until its block is left. `env` is what a user of it has; `accounting` is what sacct needs.

    Partitions: `short` (an hour), the default one `normal` (a day) and `long` (two weeks), each of both nodes. A node
    has its name as a feature. Account: `genomes`.
    """

    def __init__(self, folder: Path, accounting: bool = True) -> None:
        self.folder, self.accounting = folder, accounting
        self.env = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder}/bin:{PATH}"}
        self._user = getpass.getuser()
        self._running: dict[str, subprocess.Popen] = {}
        self.heads: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for head in self.heads:
            head.kill()
            head.wait(30)
        for name in reversed(list(self._running)):
            self.kill(name)

    def ask(self, *command: str) -> str:
        """What a program says."""
        return subprocess.run(command, env=self.env, check=True, capture_output=True, text=True).stdout

    def jobs(self, run: str, states: str = "PENDING,RUNNING,SUSPENDED,COMPLETING") -> list[dict[str, str]]:
        """Id, state, node and comment (rule and wildcards) of the jobs of a run that squeue shows."""
        lines = self.ask("squeue", "-h", "--name", run, "--states", states, "-o", "%i|%T|%N|%k").splitlines()
        return [dict(zip(("id", "state", "node", "comment"), line.split("|"), strict=True)) for line in lines]

    def accounts(self, *runs: str) -> list[dict[str, str]]:
        """What accounting has of the jobs of some runs, which have ended, in the order of submission; by `COLUMNS`."""
        options = ["--allocations", "--parsable2", "--noheader", "--duplicates", "--starttime", "now-1day"]

        def rows() -> list[dict[str, str]]:
            lines = self.ask("sacct", *options, "--name", ",".join(runs), "--format", ",".join(COLUMNS)).splitlines()
            told = [dict(zip(COLUMNS, line.split("|"), strict=True)) for line in lines]
            late = ended - {row["JobIDRaw"] for row in told}
            return [] if late or {"PENDING", "RUNNING"} & {row["State"] for row in told} else told

        # It is told seconds later than those who wait for a job.
        lines = (self.folder / "ended").read_text()
        ended = {job for job, name in re.findall(r"^JobId=(\d+) .* Name=(\S+)", lines, re.M) if name in runs}
        return sorted(wait_for("accounts of jobs", rows), key=lambda row: int(row["JobIDRaw"]))

    def kill(self, name: str) -> None:
        """The power of a node, or of a daemon, fails."""
        outer = self._running.pop(name)
        for first in Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split():
            os.kill(int(first), signal.SIGKILL)
        outer.wait(30)  # it waits for all of its namespace

    def _run(self, name: str, *command: str, **env: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            command = [*NAMESPACE, *command]
            self._running[name] = subprocess.Popen(
                command, env=self.env | env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def _answers(self, *command: str) -> None:
        def answer() -> bool:
            return subprocess.run(command, env=self.env, capture_output=True, timeout=60).returncode == 0

        wait_for(f"answer of {command[0]}", answer)

    def _start(self) -> None:
        at = self.folder
        for name in ("bin", "state", *(f"spool/{node}" for node in NODES)):
            (at / name).mkdir(parents=True)
        values = {"folder": at, "user": self._user, "host": socket.gethostname()}
        values |= {name: free_port() for name in ("slurmctld", "slurmdbd")}
        values |= {name: shutil.which(name) for name in ("srun", "squeue")}
        self._write("bin/srun", SRUN.format(**values), 0o700)
        self._write("bin/squeue", SQUEUE.format(**values), 0o700)
        nodes = "".join(NODE.format(**values, name=node, port=free_port()) for node in NODES)
        storage = WITH_ACCOUNTING if self.accounting else "AccountingStorageType=accounting_storage/none\n"
        self._write("slurm.conf", nodes + (storage + SETTINGS).format(**values))
        self._write("slurmdbd.conf", SETTINGS_OF_ACCOUNTING.format(**values))
        (at / "munge.key").write_bytes(secrets.token_bytes(128))
        (at / "munge.key").chmod(0o400)
        files = {"key-file": "key", "seed-file": "seed", "pid-file": "pid", "log-file": "log", "socket": "socket"}
        self._run("munged", "munged", "-F", "--force", *(f"--{name}={at}/munge.{end}" for name, end in files.items()))
        self._answers("munge", "-n", "-S", f"{at}/munge.socket")
        if self.accounting:
            self._start_accounting()
        self._run("slurmctld", "slurmctld", "-D", "-c")
        self._answers("scontrol", "ping")
        for node in NODES:
            self._run(node, "slurmd", "-D", "-N", node)
        wait_for("idle nodes", lambda: self.ask("sinfo", "-hN", "-p", "normal", "-o", "%t").split() == ["idle", "idle"])

    def _start_accounting(self) -> None:
        at = self.folder
        common = ["--no-defaults", f"--datadir={at}/db", f"--user={self._user}"]
        self.ask("mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db")
        local = [f"--socket={at}/db.socket", "--skip-networking", f"--pid-file={at}/db.pid", "--skip-log-bin"]
        quick = [
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-lock-wait-timeout=900",
        ]
        self._run("mariadbd", "mariadbd", *common, *local, *quick)
        client = ["mariadb", "--no-defaults", f"--socket={at}/db.socket", "--user=root", "--execute"]
        self._answers(*client, "select 1")
        self.ask(*client, "create user slurm@localhost; grant all on slurm_acct_db.* to slurm@localhost")
        self._run("slurmdbd", "slurmdbd", "-D", MYSQL_UNIX_PORT=f"{at}/db.socket")
        self._answers("sacctmgr", "-n", "list", "cluster")
        for what in (["cluster", "goe"], ["account", "genomes"], ["user", self._user, "account=genomes"]):
            subprocess.run(["sacctmgr", "-i", "add", *what], env=self.env, capture_output=True)

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(mode)


class Head:
    """A `snakemake` that was started on the login node of a cluster, under the umask that most have; by the `PYTHON` of
    `env`, if it has one."""

    def __init__(self, cluster: Cluster, folder: Path, options: list, env: Mapping[str, str] = {}) -> None:
        folder.mkdir(exist_ok=True)
        self._output = folder / f"head.{time.monotonic_ns()}"
        command = [*MORTAL, env.get("PYTHON", sys.executable), "-m", "snakemake", "--directory", folder, *options]
        with self._output.open("wb") as out:
            self._process = subprocess.Popen(command, env=cluster.env | env, stdout=out, stderr=out, umask=0o022)
        cluster.heads.append(self._process)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def run(self) -> str:
        """The run ID, which is the name of its jobs."""
        return wait_for("run ID", lambda: re.search(r"SLURM run ID: (\S+)", self.output))[1]

    def kill(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(120)

    def end(self, seconds: float = 600) -> int:
        """Its exit status."""
        return self._process.wait(seconds)

    def ok(self) -> None:
        assert self.end() == 0, self.output[-6000:]
