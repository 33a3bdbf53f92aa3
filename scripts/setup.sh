#!/usr/bin/env bash
# Makes everything ready: the Python environment in .venv, and the command-line tools.
# Tools come from conda when there is one (Snakemake makes the environments), else from PATH, else from Debian when root.
# GOE_TOOLS=conda|path|none forces the choice; with none there is what `goe check` needs, and no workflow can be run.
# The way chosen is left in .venv/deployment for the Makefile. `setup.sh tests` also gets the browser and the SLURM of the tests.
# PYTHON is what makes the environment, else a python3 of PATH; VENV another folder for it, below this one (.ci/legs).
set -euo pipefail
cd "$(dirname "$0")/.."

tools=(bwa samtools bcftools tabix bgzip fastp mosdepth plink2)
# Debian's mosdepth opens libhts.so by that name, which only the -dev package has.
packages=(bwa samtools bcftools tabix fastp mosdepth libhts-dev plink2)

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }

# A tool that is there but does not start is as good as missing; all but bwa answer --version.
works() { command -v "$1" >/dev/null && { [ "$1" = bwa ] || "$1" --version >/dev/null 2>&1; }; }

starts() {
    local said
    said=$("$venv/bin/$1" "${@:2}" 2>&1) || stop "$venv was made with $("$venv/bin/python" --version), but there \`$*\` fails:
$said"
}

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    say "installing from Debian: $*"
    if [ -z "${updated:-}" ]; then apt-get update -qq; updated=1; fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

has_pip() { "$1" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("ensurepip") is None)'; }

# One that calls its own functions through a library, and was not built with what it measured of itself, as pyenv builds
# where it is told nothing: whatever Python does takes a quarter longer.
is_slow() {
    "$1" -c 'import sysconfig, sys
calls_a_library = "libpython" in open("/proc/self/maps").read()
sys.exit(not calls_a_library or "--enable-optimizations" in sysconfig.get_config_var("CONFIG_ARGS"))' 2>/dev/null
}

# PYTHON; else the first of PATH that is new enough, a slow one only where there is no other.
which_python() {
    local one found python=${PYTHON:-}
    if [ -z "$python" ]; then
        mapfile -t found < <(type -aP python3)
        for one in "${found[@]}"; do
            if ! new_enough "$one"; then continue; fi
            : "${python:=$one}"
            if ! is_slow "$one" && { has_pip "$one" || can_apt; }; then python=$one; break; fi
        done
    fi
    [ -n "$python" ] || stop "no python3 on PATH is Python 3.11 or later: install one, or set PYTHON"
    command -v "$python" >/dev/null || stop "there is no $python: install Python 3.11 or later, or set PYTHON"
    new_enough "$python" || stop "$python is older than 3.11: set PYTHON to a newer one"
    printf '%s' "$python"
}

venv=${VENV:-.venv}
want=$(sha256sum requirements.lock | cut -d' ' -f1)
made=no
if [ -f "$venv/.lock" ] && [ "$(cat "$venv/.lock")" = "$want" ]; then made=yes; fi
if [ $made = no ]; then
    python=$(which_python)
    if ! has_pip "$python"; then
        can_apt || stop "$python has no ensurepip: install python3-venv (Debian), or use a Python that has it"
        apt_install python3-venv
    fi
    say "making $venv from requirements.lock with $python"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    # By pyproject.toml or as if there was one, as newer pips do anyway; an older one would run setup.py.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --use-pep517 --require-hashes --no-compile -r requirements.lock
    # By all cores, where pip has one, and without the packages' own tests, a quarter of it. Some carry files for another
    # Python, which do not compile.
    "$venv/bin/python" -m compileall -q -j 0 -x 'site-packages/.*/tests?/' "$venv/lib" >/dev/null 2>&1 || true
fi

# The command `goe` of this checkout; nothing is built or copied, so that it is always the code beside it.
cat >"$venv/bin/goe" <<EOF
#!$PWD/$venv/bin/python
import sys

sys.path.insert(0, "$PWD/scripts")
from goe.cli import main

sys.exit(main())
EOF
chmod +x "$venv/bin/goe"

# Packages may be installed and not work with this Python. The environment counts as made when what is called starts.
if [ $made = no ]; then
    starts snakemake --version
    starts goe --version
    starts python -c "import cyvcf2, isal, numba, pandas, pyarrow, pysam, scipy"
    printf '%s' "$want" >"$venv/.lock"
fi

way=${GOE_TOOLS:-}
if [ -z "$way" ]; then
    if command -v conda >/dev/null; then way=conda; else way=path; fi
fi
case $way in
conda)
    command -v conda >/dev/null || stop "GOE_TOOLS=conda, but there is no conda on PATH"
    # The rules have environments of their own; what makes the demo's reads, and the tests, call tools outside of a rule.
    want=$(sha256sum envs/tools.yaml | cut -d' ' -f1)
    if [ ! -f "$venv/tools.made" ] || [ "$(cat "$venv/tools.made")" != "$want" ]; then
        say "making $venv/tools from envs/tools.yaml"
        rm -rf "$venv/tools"
        conda env create --quiet --file envs/tools.yaml --prefix "$PWD/$venv/tools" >&2
        printf '%s' "$want" >"$venv/tools.made"
    fi
    ;;
path)
    missing=()
    for tool in "${tools[@]}"; do works "$tool" || missing+=("$tool"); done
    if [ ${#missing[@]} -gt 0 ]; then
        can_apt || stop "missing tools: ${missing[*]}
  Either install conda (for instance Miniforge) and run this again: Snakemake then makes every rule's environment from envs/;
  or install them yourself and put them on PATH; on Debian, as root: apt-get install ${packages[*]}"
        apt_install "${packages[@]}"
    fi
    ;;
none) ;;
*) stop "GOE_TOOLS is '$way': use conda, path or none" ;;
esac
printf '%s' "$way" >"$venv/deployment"

# What tests alone need: a program, which tests are skipped without it, and its packages.
for_tests() {
    if command -v "$1" >/dev/null; then return; fi
    if ! can_apt || ! apt_install "${@:3}"; then
        say "THERE IS NO $1: $2 will be skipped
  (install it and put it on PATH; on Debian, as root: apt-get install ${*:3})"
    fi
}

# The pages are looked at by a program as a reader does, and jobs are killed on a SLURM of this machine, which tests start
# and stop. Everything else is tested without.
if [ "${1:-}" = tests ]; then
    for_tests chromium "the tests of report.html and cohort.html in a browser" chromium
    for_tests sbatch "the tests of the workflow on SLURM" slurmctld slurmd slurmdbd slurm-client slurm-wlm-basic-plugins \
        slurm-wlm-mysql-plugin munge mariadb-server-core mariadb-client-core
fi
