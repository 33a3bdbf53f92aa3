"""What is made of the environment files beside this one.

    python envs/environments.py recipe > envs/apptainer.def
    python envs/environments.py lock [CHANNEL ...]

`recipe` prints the definition of an Apptainer image in which every rule finds its environment: Snakemake looks for it
at /conda-envs/ and the MD5 of its lock and its file. `lock` solves every environment for 64-bit Linux, with the
channels of its file or those that are given instead, and writes what it found, package by package with MD5, to
envs/NAME.linux-64.pin.txt, which Snakemake and the recipe take instead of solving again. It needs py-rattler, and
reaches the channels.
"""

import asyncio
import hashlib
import sys
from pathlib import Path

ENVS = Path(__file__).parent
# Of no rule.
ASIDE = {"tools"}
PLATFORM = "linux-64"
# The oldest system that is thought of, RHEL 8; of it `lock` is told, wherever it runs.
GLIBC = "2.28"
IMAGE = "condaforge/miniforge3:24.11.3-0"


def files() -> list[Path]:
    """Environment files of the rules."""
    return sorted(path for path in ENVS.glob("*.yaml") if path.stem not in ASIDE)


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.{PLATFORM}.pin.txt")


def recipe() -> str:
    """The definition of the image."""
    copied, made = [], []
    for path in files():
        lock = lock_of(path)
        parts = [part for part in (lock, path) if part.is_file()]
        digest = hashlib.md5(b"".join(part.read_bytes() for part in parts), usedforsecurity=False)
        prefix = f"/conda-envs/{digest.hexdigest()}"
        copied.append(f"envs/{path.name} {prefix}/environment.yaml")
        how = f"env create --quiet --prefix {prefix} --file {prefix}/environment.yaml"
        if lock.is_file():
            copied.append(f"envs/{lock.name} {prefix}/pin.txt")
            how = f"create --quiet --yes --prefix {prefix} --file {prefix}/pin.txt"
        made.append(f"conda {how}")
    made.append("conda clean --all --yes")
    labels = ["io.github.snakemake.containerized true"]
    text = "# Made by `make recipe`. In the clone: apptainer build goe.sif envs/apptainer.def\n"
    text += f"Bootstrap: docker\nFrom: {IMAGE}\n"
    for name, lines in (("labels", labels), ("files", copied), ("post", made)):
        text += f"\n%{name}\n" + "".join(f"    {line}\n" for line in lines)
    return text


async def solved(path: Path, channels: list[str]) -> list[str]:
    """URL and MD5 of each package of an environment, sorted."""
    import rattler
    import yaml

    told = yaml.safe_load(path.read_text())
    sources = channels or [name for name in told["channels"] if name != "nodefaults"]
    system = {"__unix": "0", "__linux": "5.4", "__glibc": GLIBC}
    there = [
        rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), rattler.BuildString("0"))
        for name, version in system.items()
    ]
    found = await rattler.solve(
        sources=[rattler.Channel(name) for name in sources],
        specs=[rattler.MatchSpec(pin) for pin in told["dependencies"]],
        platforms=[PLATFORM, "noarch"],
        virtual_packages=there,
    )
    return sorted(f"{record.url}#{record.md5.hex()}" for record in found)


def lock(channels: list[str]) -> None:
    for path in files():
        packages = asyncio.run(solved(path, channels))
        lock_of(path).write_text("\n".join([f"# platform: {PLATFORM}", "@EXPLICIT", *packages, ""]))
        print(f"{lock_of(path).name}: {len(packages)} packages")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["recipe"]:
            print(recipe(), end="")
        case ["lock", *given]:
            lock(given)
        case _:
            sys.exit(__doc__)
