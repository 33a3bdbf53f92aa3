"""What `make` and scripts/setup.sh do besides setting up: what they leave alone, and what they say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]


def clone(tmp_path: Path) -> Path:
    """A checkout that is set up as far as setup.sh looks."""
    root = tmp_path / "clone"
    (root / "scripts").mkdir(parents=True)
    for name in ("Makefile", "scripts/setup.sh", "requirements.lock"):
        shutil.copy(REPO / name, root / name)
    (root / ".venv/bin").mkdir(parents=True)
    digest = subprocess.run(["sha256sum", "requirements.lock"], cwd=root, capture_output=True, text=True, check=True)
    (root / ".venv/.lock").write_text(digest.stdout.split()[0])
    return root


def shut_in(tmp_path: Path, *tools: str) -> dict[str, str]:
    """An environment with a few programs on PATH, and none of those that the workflow calls."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for tool in ("bash", "cat", "chmod", "cut", "dirname", "env", "python3", "sha256sum", *tools):
        (bin_ / tool).symlink_to(shutil.which(tool))
    # Not root, as far as the script can tell: it must not install anything in a test.
    (bin_ / "id").write_text("#!/bin/sh\necho 1000\n")
    (bin_ / "id").chmod(0o755)
    return {name: value for name, value in os.environ.items() if name != "GOE_TOOLS"} | {"PATH": str(bin_)}


def setup(root: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    command = [shutil.which("bash"), "scripts/setup.sh", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def test_who_only_checks_needs_no_tools(tmp_path):
    root, environment = clone(tmp_path), shut_in(tmp_path)
    stopped = setup(root, environment)
    assert stopped.returncode == 1 and "missing tools: bwa samtools" in stopped.stderr
    done = setup(root, environment | {"GOE_TOOLS": "none"})
    assert (done.returncode, done.stderr) == (0, "")
    assert (root / ".venv/deployment").read_text() == "none" and os.access(root / ".venv/bin/goe", os.X_OK)
    wrong = setup(root, environment | {"GOE_TOOLS": "nothing"})
    assert wrong.returncode == 1 and "use conda, path or none" in wrong.stderr


def stub(path: Path, script: str) -> None:
    path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
    path.chmod(0o755)


def test_an_environment_in_which_snakemake_does_not_start_is_none(tmp_path):
    root, environment = clone(tmp_path), shut_in(tmp_path) | {"GOE_TOOLS": "none"}
    bin_, lock = root / ".venv/bin", root / ".venv/.lock"
    lock.unlink()
    (root / "scripts/goe").mkdir()
    (root / "scripts/goe/__init__.py").touch()
    (root / "scripts/goe/cli.py").write_text("def main():\n    print('goe 1')\n")
    stub(bin_ / "pip", "exit 0")
    stub(bin_ / "python", f'[ "$1" = -c ] || exec {sys.executable} "$@"')
    stub(bin_ / "snakemake", "echo no module named six.moves >&2; exit 1")
    stopped = setup(root, environment)
    assert stopped.returncode == 1 and not lock.exists()
    assert "`snakemake --version` fails:\nno module named six.moves" in stopped.stderr
    stub(bin_ / "snakemake", "echo 9")
    assert setup(root, environment).returncode == 0 and lock.exists()
    lock.unlink()
    (root / "scripts/goe/cli.py").write_text("import nothing_of_this_name\n")
    stopped = setup(root, environment)
    assert stopped.returncode == 1 and "`goe --version` fails" in stopped.stderr and not lock.exists()
    (root / "scripts/goe/cli.py").write_text("def main():\n    return 0\n")
    stub(bin_ / "python", f'[ "$1" != -c ] || exit 1; exec {sys.executable} "$@"')
    stopped = setup(root, environment)
    assert stopped.returncode == 1 and "import cyvcf2" in stopped.stderr and not lock.exists()


def test_the_python_is_the_first_of_path_but_for_an_old_one_and_a_slow_one(tmp_path):
    root, environment = clone(tmp_path), shut_in(tmp_path) | {"GOE_TOOLS": "none"}
    (root / ".venv/.lock").unlink()
    folders = [tmp_path / name for name in ("old", "slow", "quick")]
    for folder in folders:
        folder.mkdir()
    stub(folders[0] / "python3", "exit 1")
    # It is new enough and whole, and asked whether it is slow it says so.
    stub(folders[1] / "python3", '[ "$1" = -c ] || exit 9; exit 0')
    stub(folders[2] / "python3", 'case $2 in *CONFIG_ARGS*) exit 1;; esac; [ "$1" = -c ] || exit 8')
    paths = ":".join(map(str, folders))

    def taken(path: str, **more: str) -> tuple[int, str]:
        shutil.rmtree(root / ".venv/bin", ignore_errors=True)
        done = setup(root, environment | {"PATH": f"{path}:{environment['PATH']}", **more})
        return done.returncode, done.stderr.split(" with ")[-1].split("/")[-2]

    assert taken(paths) == (8, "quick")
    assert taken(f"{folders[0]}:{folders[1]}", PYTHON=str(folders[1] / "python3")) == (9, "slow")
    (tmp_path / "bin/python3").unlink()
    assert taken(f"{folders[0]}:{folders[1]}") == (9, "slow")
    stopped = setup(root, environment | {"PATH": f"{folders[0]}:{environment['PATH']}"})
    assert stopped.returncode == 1 and "no python3 on PATH is Python 3.11 or later" in stopped.stderr


def test_tests_without_a_browser_and_slurm_say_so_and_go_on(tmp_path):
    root, environment = clone(tmp_path), shut_in(tmp_path) | {"GOE_TOOLS": "none"}
    done = setup(root, environment, "tests")
    assert done.returncode == 0
    for program in ("chromium", "sbatch"):
        assert f"THERE IS NO {program}: the tests of " in done.stderr and "will be skipped" in done.stderr
        (tmp_path / "bin" / program).symlink_to(shutil.which("true"))
    assert setup(root, environment, "tests").stderr == ""


def test_clean_leaves_a_cohort_alone(tmp_path):
    root = clone(tmp_path)
    for name in ("demo", "work", "release", ".snakemake"):
        (root / name).mkdir()
    subprocess.run(["make", "clean"], cwd=root, check=True, capture_output=True)
    assert {path.name for path in root.iterdir()} >= {"work", "release"}
    assert not (root / "demo").exists() and not (root / ".snakemake").exists()


def test_help_names_every_target(tmp_path):
    said = subprocess.run(["make", "help"], cwd=REPO, check=True, capture_output=True, text=True).stdout
    targets = (REPO / "Makefile").read_text().split(".PHONY:")[1].split("\n")[0].split()
    for target in set(targets) - {"help"}:
        assert f"make {target} " in said
