# Everything that is done with this checkout. `make run` and `make test` need Python 3.11+ with venv,
# make and git, and no root; what they need else is set up in .venv from the lock files.

PYTHON ?= python3
SHELL := /bin/bash
BIN := .venv/bin
LARGE_MEGABYTES ?= 512
FUZZ_SECONDS ?= 600

# Tests that fork locked-down workers out of their own process get a process without large parsers:
# what pyarrow holds would count against the workers' limits. The others are shared among processes, a file
# of tests each; `make test AT_ONCE=0` runs them one after the other.
FORKING := $(addprefix tests/detectors/engine/,test_lockdown.py test_template.py test_worker.py)
AT_ONCE ?= logical
define run_tests
@$(BIN)/python -m pytest $(FORKING); first=$$?; \
  $(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile $(addprefix --ignore=,$(FORKING)) && exit $$first
endef

# What is written for other platforms has their types checked.
define check_types
$(BIN)/mypy
$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 $(PORTABLE)
$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin $(PORTABLE)
endef
PORTABLE := $(addprefix -m agent.platform.,choose macos windows windows_service windows_worker)

.DEFAULT_GOAL := help
.PHONY: help run test check format bench system soak fuzz train accuracy false-alarms deb rpm docs lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run.stamp ## set up, then show the service at work on made-up files in one temporary folder
	$(BIN)/recordwarden demo

test: .venv/dev.stamp ## set up, then run the tests (those that need root are skipped by name without it)
	$(run_tests)

check: .venv/dev.stamp ## the definition of done: format, lint, types and tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(check_types)
	$(run_tests)

format: .venv/dev.stamp ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev.stamp ## measure latency and throughput, and write docs/performance.md
	$(BIN)/python benchmarks/latency.py --write docs/performance.md
	$(BIN)/python benchmarks/mounts.py --write docs/performance.md
	$(BIN)/python benchmarks/large_file.py --megabytes $(LARGE_MEGABYTES) --write docs/performance.md
	$(BIN)/python benchmarks/full_pass.py --write docs/performance.md
	$(BIN)/python benchmarks/watching.py --write docs/performance.md
	$(BIN)/python benchmarks/first_sweep.py --write docs/performance.md
	$(BIN)/python benchmarks/memory.py --write docs/performance.md

system: .venv/dev.stamp ## the long tests: real mounts, real crashes, full counts (root)
	$(BIN)/python -m pytest -m system --timeout 1800

soak: .venv/dev.stamp ## kill and restart the service again and again while files arrive (root)
	$(BIN)/python -m pytest -m soak --timeout 86400 -s

fuzz: .venv/dev.stamp ## fuzz every family of readers, guided by coverage, for FUZZ_SECONDS each (hours)
	$(BIN)/python benchmarks/fuzz.py --seconds $(FUZZ_SECONDS) $(FUZZ)

train: .venv/train.stamp ## fit the record model anew into build/ (TRAIN="--corpus DIR" fits the shipped one on tables of yours)
	$(BIN)/python benchmarks/train_model.py $(TRAIN)

accuracy: .venv/dev.stamp ## judge a labelled corpus, CORPUS=DIR with a manifest.csv (see docs/detection.md)
	$(BIN)/python benchmarks/accuracy.py $(CORPUS) $(ACCURACY)

false-alarms: .venv/dev.stamp ## count false alarms below FILES="DIR ..." (ordinary files without records of people)
	$(BIN)/python benchmarks/false_alarms.py $(FILES)

deb: .venv/dev.stamp ## build the Debian package into build/ (needs dpkg-deb and the Python that the target has)
	packaging/debian/build build

rpm: .venv/dev.stamp ## build the RPM package into build/, of the same content (needs rpmbuild)
	packaging/rpm/build build

docs: .venv/docs.stamp ## the pages of docs/ as a searchable site, into build/manual
	$(BIN)/mkdocs build --quiet --clean --config-file packaging/manual/mkdocs.yml
	@echo "build/manual/guide.html"

lock: .venv/dev.stamp ## write the lock files anew from pyproject.toml
	.ci/lock

clean: ## forget the environment and all that was built
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One environment, three sets of packages. A set is installed once and again when its lock changes;
# only wheels, only with the hashes of the lock, and our own code in place.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "make: Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@echo "setting up .venv (once) ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@$(INSTALL) --only-binary :all: --require-hashes -r requirements.lock
	@$(INSTALL) --no-build-isolation --no-deps -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@$(INSTALL) --only-binary :all: --require-hashes -r requirements-dev.lock
	@touch $@

.venv/train.stamp: requirements-train.lock .venv/dev.stamp
	@$(INSTALL) --only-binary :all: --require-hashes -r requirements-train.lock
	@touch $@

.venv/docs.stamp: requirements-docs.lock .venv/run.stamp
	@$(INSTALL) --only-binary :all: --require-hashes -r requirements-docs.lock
	@touch $@
