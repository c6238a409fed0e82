# Each target makes what it needs: on a fresh machine, `make demo` and `make test` create .venv themselves.
# pip's own settings (PIP_INDEX_URL, PIP_FIND_LINKS, ...) are honoured, as is PYTHON=/path/to/python3.12.

PYTHON ?= python3
PYTEST_ARGS ?=
DATA ?= $(SELFEDIT_DATA)
# Of experiments: what the tables were made in. Where `selfedit doctor` finds it slow, say DTYPE=float32.
DTYPE ?= bfloat16

BIN := .venv/bin
PIP := $(BIN)/python -m pip
# One thread a process: the tests run in two processes, and two-thread OpenMP collapses on shared cores.
CALM := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench crash kills experiments docs clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.runtime  ## watch a model read a handbook, train on its own notes and answer without seeing it
	@$(BIN)/selfedit demo

test: .venv/.dev lint  ## everything CI runs: ruff, pyright, pytest
	@$(CALM) $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: .venv/.dev  ## ruff, ruff format and pyright; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

format: .venv/.dev  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/.runtime  ## speed against the rivals, each in the same run (minutes each)
	@for name in train generate score trial; do $(BIN)/selfedit bench $$name || exit 1; done

crash: .venv/.runtime  ## kills 500 writers and makes every system call of a store fail; resumable (minutes)
	@$(BIN)/python scripts/crash.py

kills: .venv/.dev  ## kills a run of `selfedit train` 100 times, which has to end as an unbroken one (minutes)
	@$(CALM) SELFEDIT_KILLS=100 $(BIN)/python -m pytest -q -n 0 tests/reinforcing/test_killed.py

# Needs data that is not ours: make experiments DATA=/path/to/data (or SELFEDIT_DATA in the environment).
# Settings are screened on squad/val_choose.json; squad/val_report.json only reports (docs/results.md).
experiments: .venv/.runtime  ## the tables of docs/results.md: crashes, kills, graders, rewards, learning, streams, rounds, few-shot (days)
	@test -n "$(DATA)" || { echo "make experiments: no data; say DATA=FOLDER or set SELFEDIT_DATA" >&2; exit 2; }
	@$(MAKE) --no-print-directory crash kills
	@$(BIN)/selfedit bench grading --data "$(DATA)"
	@$(BIN)/selfedit bench rewards --data "$(DATA)" --dtype $(DTYPE) --runs results/rewards
	@$(BIN)/selfedit bench learning --data "$(DATA)" --dtype $(DTYPE) --runs results/learning
	@$(BIN)/selfedit bench topics --base smollm2-135m --data "$(DATA)"
	@$(BIN)/selfedit bench screening
	@$(BIN)/selfedit bench transforms
	@$(BIN)/selfedit bench contradictions --data "$(DATA)"
	@$(BIN)/selfedit bench abilities --near-misses --data "$(DATA)" --dtype $(DTYPE) --runs results/abilities
	@$(BIN)/selfedit stream stream-smollm2 --store runs/streams --data "$(DATA)" --dtype $(DTYPE)
	@$(BIN)/selfedit stream stream-screen --store runs/screen --data "$(DATA)" --dtype $(DTYPE)
	@$(BIN)/selfedit stream stream-long --store runs/long --data "$(DATA)" --dtype $(DTYPE)
	@$(BIN)/selfedit train knowledge-smollm2 --store runs/knowledge --data "$(DATA)" --dtype $(DTYPE)
	@$(BIN)/selfedit eval knowledge-smollm2 --store runs/knowledge --data "$(DATA)"
	@for name in knowledge-smollm2-recited text-smollm2 arc-smollm2; do \
	  $(BIN)/selfedit train $$name --store runs/$$name --data "$(DATA)" --dtype $(DTYPE) || exit 1; \
	  $(BIN)/selfedit eval $$name --store runs/$$name --data "$(DATA)" || exit 1; done

docs: .venv/.docs  ## the documentation as a site, in build/site
	@$(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

clean:  ## remove the virtual environment, caches and built files (never a store)
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- the virtual environment ----------------------------------------------------------------------
# Stamp files: a second run installs nothing until pyproject.toml or constraints.txt changes.

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "selfedit needs Python 3.11 or newer; $(PYTHON) is missing or older. Say: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "could not make .venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# torch first and alone: asked for by its exact version, pip takes a local or CPU build where one is offered;
# asked for by a range through another package, it would take the newest, with gigabytes of CUDA libraries.
.venv/.runtime: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) install -c constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

.venv/.dev: .venv/.runtime
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

.venv/.docs: .venv/.runtime
	$(PIP) install --quiet -c constraints.txt -e '.[docs]'
	@touch $@
