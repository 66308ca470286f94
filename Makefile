# `make run` and `make test` are all a newcomer needs; each sets up what it uses.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
NATIVE := bk/hook/native/build.py $(wildcard bk/hook/native/*.c bk/hook/native/scripts/* bk/hook/harnesses/*.py)

.PHONY: run test test-all test-live test-live-all unit lint bench screenshots clean

$(STAMP): pyproject.toml $(NATIVE)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (first time: about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(STAMP)
	@$(BIN)/python -m bk.demo_run

lint: $(STAMP)
	@$(BIN)/ruff check bk tests bench
	@$(BIN)/ruff format --check --quiet bk tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

# Much of it waits: for an engine, a key, a deadline. One worker more than the processors of a small machine.
unit: $(STAMP)
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m 'not long' -q

test: lint unit

test-all: lint
	@$(BIN)/python -m pytest -n 3 --dist worksteal -q
	@$(BIN)/python -m tests.fuzz --seconds 60

# Real clients from npm and PyPI against a scripted model, on the loopback alone; needs root. BK_LIVE_DIR keeps them.
test-live test-live-all: TIER = $(if $(filter test-live-all,$@),2,1)
test-live test-live-all: $(STAMP)
	@$(BIN)/python -m tests.live.packages $(TIER)
	@BK_LIVE=$(TIER) $(BIN)/python -m pytest tests/live -n 2 --dist loadgroup --no-loadscope-reorder -q; code=$$?; \
	$(BIN)/python -m tests.live.table; exit $$code

bench: $(STAMP)
	@$(BIN)/python -m bench.decide
	@$(BIN)/python -m bench --write docs/performance.md
	@$(BIN)/python -m bench.index --full --write docs/performance.md
	@$(BIN)/python -m bench.inventory --write docs/performance.md
	@$(BIN)/python -m bench.ledger --write docs/performance.md
	@$(BIN)/python -m bench.dashboard --write docs/performance.md

screenshots: $(STAMP)
	@$(BIN)/python -m bench.screenshots

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
