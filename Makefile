# Every target sets up what it needs: only Python 3.11 or newer and make must be there.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
BENCH_ARGS ?=

.PHONY: run demo test matrix lint bench bench-quick clean setup

run: $(STAMP)
	$(BIN)/aigw run

demo: $(STAMP)
	$(BIN)/aigw demo

test: $(STAMP)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Official clients against every upstream; what became of it goes into the page.
matrix: $(STAMP)
	$(BIN)/python -m tests.matrix --page docs/dialects.md

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# BENCH_PEERS=1 adds Envoy, Portkey and LiteLLM, and installs them; BENCH_ARGS is for
# `python -m benchmarks`, which takes --help.
bench: $(STAMP)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-quick: $(STAMP)
	$(BIN)/python -m benchmarks --quick $(BENCH_ARGS)

setup: $(STAMP)

# A name of Python is tried by running it: a version manager's shim may stand on the
# path for a version that is not installed. `compat` puts the checkout itself on
# sys.path; the default finder would hide twisted/plugins from plugin discovery.
$(STAMP): setup.cfg pyproject.toml
	@set -e; found=; \
	for name in python3.13 python3.12 python3.11 python3; do \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "Python 3.11 or newer is needed" >&2; exit 1; fi; \
	if [ ! -x $(BIN)/python ]; then $$found -m venv $(VENV); fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --config-settings editable_mode=compat --editable '.[test,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name dropin.cache -delete
