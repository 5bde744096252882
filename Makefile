# One command each: `make demo` shows the product, `make test` proves it. Both set up what they need.
PYTHON ?= python3
# Where it is installed, uv sets up in a third of pip's time.
UV ?= uv
LOCKED := --require-hashes --requirement requirements.lock
BIN := .venv/bin

.PHONY: demo test setup lint compiled lock clean

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, not " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(LOCKED) 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet $(LOCKED)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: setup
	$(BIN)/planner demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/numpydoc lint $$(git ls-files "planner/*.py")

test: setup
	$(MAKE) --jobs 2 lint compiled
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Most of what tests compile, once, while types are checked.
compiled: setup
	$(BIN)/python -m tests.warm

# Write the lock anew from pyproject.toml (every package with its hashes; needs uv).
lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --group dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv dist out .pytest_cache .mypy_cache .ruff_cache data/*/.cache
