# `make run` starts everything; `make test` runs the whole suite; neither needs anything but Python 3.11 to 3.13.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
TOOLS := $(VENV)/.tools-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
SOURCES := api benchmarks cli domain infra tests workers

.PHONY: run test check format replay-sample bench pictures lock clean

run: $(RUNTIME)
	@exec $(BIN)/tuan run

# Files in their own order: by the number of their tests, a long file of one test would come last.
test: $(TOOLS)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/tuan migrate --check

format: $(TOOLS)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# A piece of the BeiBei log, looked for in ../shared/data/beibei; says so when it is not there.
replay-sample: $(RUNTIME)
	@.ci/replay-sample

bench: $(TOOLS)
	@$(BIN)/python -m benchmarks $(ONLY)

# Of the page, for the docs; needs Chromium, as the tests in tests/browser do.
pictures: $(TOOLS)
	@$(BIN)/python -m tests.browser.pictures

# Hashes come from the public package index, for Python 3.11 to 3.13 on Linux and macOS.
lock: $(TOOLS)
	$(BIN)/uv pip compile $(LOCKING) --group build -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) --group build --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml

LOCKING := --quiet --no-config --system-certs --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --override requirements-left-out.txt

$(RUNTIME): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else \
		"Tuan needs Python 3.11, 3.12 or 3.13; this is %d.%d. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2])'
	@echo "Making the virtual environment in $(VENV) (once, about a minute: 100 MB from the package index)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --no-deps --requirement requirements.lock
	@PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): requirements-dev.lock $(RUNTIME)
	@echo "Adding the tools for tests and checks to $(VENV) (once, under a minute)"
	@$(PIP) install --require-hashes --no-deps --requirement requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build tuan.egg-info
