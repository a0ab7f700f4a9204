# Two commands are all a newcomer needs: `make demo` and `make test`. Both set up .venv on first use.

PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
EXTRAS := hf,data,train

.PHONY: install install-test demo test test-all lint bench figures screenshots docs acceptance clean

install: .venv/.installed

install-test: .venv/.installed-test

# torch first and by its exact pin: resolved together with the rest, a plain `torch` may pull a CUDA build.
.venv/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; pass another one: make $(MAKECMDGOALS) PYTHON=python3"; exit 1; }
	@echo "Setting up .venv (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --constraint constraints.txt torch==2.13.0
	@$(PIP) install --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

.venv/.installed-test: .venv/.installed
	@$(PIP) install --constraint constraints.txt --editable '.[$(EXTRAS),test]'
	@touch $@

demo: install
	@$(BIN)/modgap close bundled

test: install-test
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

test-all: install-test
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m "not gpu and not network"

lint: install-test
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: install-test
	@$(BIN)/python scripts/bench.py

figures: install-test
	@$(BIN)/python scripts/figures.py

screenshots: install-test
	@$(BIN)/python scripts/screenshots.py

docs: install-test
	@$(PIP) install --constraint constraints.txt 'mkdocs-material>=9.5'
	@$(BIN)/python scripts/reference.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo build/site/index.html

acceptance:
	@scripts/acceptance.sh

clean:
	rm -rf .venv runs build dist
