# `make demo` in a fresh clone needs only make and Python; CI runs `make lint test`, to the letter.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint docs notebooks bench clean

help:
	@echo "make demo       run 'shrinkage run moons' and show where its report is"
	@echo "make setup      install everything for development into $(VENV)"
	@echo "make test       run the tests"
	@echo "make lint       check style, types and layers"
	@echo "make docs       build the documentation site, strictly"
	@echo "make notebooks  run the lesson's notebooks from their sources"
	@echo "make bench      measure speed beside the peers"
	@echo "make clean      remove $(VENV), caches and compiled kernels"
	@echo "PYTHON=python3.12 chooses the interpreter (3.11 or newer), VENV=path the environment."

setup: $(VENV)/.dev
	@echo "ready: . $(BIN)/activate"

demo: $(VENV)/.base
	@$(BIN)/python scripts/stale_kernels.py
	@$(BIN)/shrinkage run moons

test: $(VENV)/.dev
	@$(BIN)/python scripts/chromium.py
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone tests

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build
	@echo "open docs/_build/index.html"

notebooks: $(VENV)/.dev
	$(BIN)/python scripts/notebooks.py

bench: $(VENV)/.bench
	@$(BIN)/python scripts/stale_kernels.py
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# One stamp for each set of packages, so that only a change of the requirements installs again.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "shrinkage needs Python 3.11 or newer, and '$(PYTHON)' is: $$($(PYTHON) --version 2>/dev/null || echo not found);" \
	    "choose another with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing shrinkage into $(VENV) (a minute or two, once)"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing shrinkage and what its tests need into $(VENV) (some minutes, once)"
	@$(INSTALL) -e ".[dev]"
	@touch $(VENV)/.base $@

$(VENV)/.bench: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing shrinkage and the peers it is measured beside into $(VENV) (some minutes, once)"
	@$(INSTALL) -e ".[bench]"
	@touch $(VENV)/.base $@
