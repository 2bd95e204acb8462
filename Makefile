# What can be done here. Each target sets itself up on a clean checkout: it makes .venv and installs into it.

PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/ready

.PHONY: help demo test lint bench proofs docs clean

help:  ## show this list (the default)
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## three acts: a job that fits, one that does not, a thousand models and a kill -9
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo

test: $(READY)  ## run all tests, two files at a time, and name the slowest
	@$(BIN)/python -m compileall -q src  # read by a thousand child processes, also where none may write bytecode
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder --durations=15

lint: $(READY)  ## style, format, types, and which room may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## forecast against actual, and fitscale against the plain scripts
	$(BIN)/python benchmarks/run.py

proofs: $(READY)  ## what the suites prove of each plug-in, into the table that the scorecard reads
	$(BIN)/python scripts/proofs.py --write

docs: $(READY)  ## build the site into build/site; a warning is an error
	$(BIN)/python scripts/docs --check
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs build/site
	@echo "build/site/index.html"

clean:  ## remove what these targets made: .venv, builds, caches, the demo's data and runs
	rm -rf .venv build dist demo examples/runs .coverage
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts examples benchmarks docs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(READY): pyproject.toml scripts/setup-debian
	scripts/setup-debian $(PYTHON)
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	touch $@
