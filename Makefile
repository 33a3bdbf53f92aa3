SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: help setup demo demo-collect test fuzz bench consumers locks recipe lint legs clean

CORES ?= $(shell nproc)
BIN := $(CURDIR)/.venv/bin
# Made only where tools come from conda. Not on the PATH of Snakemake: a rule has its environment and nothing else.
TOOLS := $(CURDIR)/.venv/tools/bin
PROFILE := $(CURDIR)/workflow/profiles/default
# The tests and the demo must not depend on the caller's umask or locale.
export LC_ALL := C.UTF-8
export PATH := $(BIN):$(PATH)

help:
	@echo "make setup  .venv, and the tools; with GOE_TOOLS=none no tools, which is enough for goe check"
	echo "make demo   set everything up, make a cohort, run the workflow on it, open and under a floor, compare with the truth"
	echo "make demo-collect  three countries, each with a run of its own, collected and compared with the whole cohort"
	echo "make test   set up, with a browser for the pages and a SLURM where there are none, and run the tests"
	echo "make fuzz   the property tests with other examples than those of make test"
	echo "make bench  set up and run the benchmarks"
	echo "make consumers  clients that read releases, in an environment of their own; RELEASE=FOLDER asks them that one too"
	echo "make locks  solve the environments of envs/, and write what each is made of; CHANNELS takes others than theirs"
	echo "make recipe envs/apptainer.def, an image of these environments, from their files and locks"
	echo "make lint   ruff, snakefmt, import-linter, mypy, snakemake --lint"
	echo "make legs   what another version of Python could break, with each of 3.11 to 3.13 that is here"
	echo "make clean  remove the demo, and what Snakemake keeps in this folder"

setup:
	@scripts/setup.sh

# Every number first, to be compared with the truth; then as it would be published, from the same counts.
demo: setup
	@umask 077
	deployment=
	if [ "$$(cat .venv/deployment)" = conda ]; then deployment="--sdm conda"; fi
	run() {
	  snakemake --snakefile Snakefile --directory demo --workflow-profile $(PROFILE) --cores $(CORES) $$deployment "$$@"
	}
	rm -rf demo/release
	PATH="$$PATH:$(TOOLS)" goe demo make demo
	run release harmonised
	goe demo compare demo demo
	goe demo floor demo
	run release
	goe demo compare demo demo

# Each country is a run of its own; what they publish is collected, and once more with the restricted product of one.
demo-collect: setup
	@umask 077
	deployment=
	if [ "$$(cat .venv/deployment)" = conda ]; then deployment="--sdm conda"; fi
	run() {
	  snakemake --snakefile Snakefile --directory demo-collect/$$1 --workflow-profile $(PROFILE) --quiet all \
	    --cores $(CORES) $$deployment "$${@:2}"
	}
	rm -rf demo-collect
	PATH="$$PATH:$(TOOLS)" goe demo make-countries demo-collect
	for country in EE LV FI; do
	  echo "$$country: its own run"
	  run $$country release/MANIFEST.sha256
	done
	run FI restricted/GOE-FI-EXAMPLE-20260101000000000.restricted.tar.c4gh
	goe demo foreign demo-collect/LV/release demo-collect/LV/foreign.vcf.gz
	echo "collect: what they publish; with the restricted product of FI"
	for kind in collect restricted; do
	  run $$kind --configfile demo-collect/$$kind/collect.yaml
	done
	goe demo compare-countries demo-collect
	echo "The page: demo-collect/collect/collection/collection.html"

# A process more than cores, up to four: a whole run of the workflow inside a test uses two cores, and a test of SLURM
# mostly waits. What the tests compile looks whether an index is inside its array, and is compiled in five sixths of the
# time, but for jobs that start as a user's do (tests/helpers/workflow.py, alone).
# Translated modules are kept, whatever the environment says: it is hundreds of processes that import them.
test:
	@scripts/setup.sh tests
	PATH="$$PATH:$(TOOLS)" PYTHONDONTWRITEBYTECODE= NUMBA_BOUNDSCHECK=1 NUMBA_OPT=1 \
	  NUMBA_CACHE_DIR=$(CURDIR)/.venv/boundscheck \
	  python -m pytest -n $$(($(CORES) < 4 ? $(CORES) + 1 : 4)) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

fuzz: setup
	@PATH="$$PATH:$(TOOLS)" python -m pytest tests/property --hypothesis-profile other -n $$(($(CORES) < 4 ? $(CORES) : 4)) \
	  $(PYTEST_ARGS)

bench: setup
	@PATH="$$PATH:$(TOOLS)" python -m pytest tests/bench -m bench -s $(PYTEST_ARGS)

consumers: setup
	@[ -x .venv/consumers/bin/python ] || python3 -m venv .venv/consumers
	.venv/consumers/bin/pip install --quiet --disable-pip-version-check -r tests/consumers/requirements.lock
	PATH="$$PATH:$(TOOLS)" GOE_RELEASE="$(RELEASE)" python -m pytest tests/consumers $(PYTEST_ARGS)

locks: setup
	@[ -x .venv/locks/bin/python ] || python3 -m venv .venv/locks
	.venv/locks/bin/pip install --quiet --disable-pip-version-check py-rattler==0.28.0 pyyaml==6.0.3
	.venv/locks/bin/python envs/environments.py lock $(CHANNELS)
	python envs/environments.py recipe > envs/apptainer.def

recipe:
	@python3 envs/environments.py recipe > envs/apptainer.def

lint: setup
	@ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	PYTHONPATH=scripts lint-imports --no-cache
	mypy
	[ -f demo/config/config.yaml ] || PATH="$$PATH:$(TOOLS)" goe demo make demo
	snakemake --snakefile Snakefile --directory demo --lint

legs: setup
	@.ci/legs

# Not work and release: a cohort may have been run in the clone.
clean:
	rm -rf demo demo-collect .snakemake
