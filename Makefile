# Two commands: `make run` answers the question of models/nelm.yaml, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
DRAWS ?= 3000

.PHONY: run test verification benchmarks format clean

run: .venv/installed
	$(BIN)/qalyst run nelm --draws $(DRAWS) --out results/nelm

test: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2 --dist worksteal

verification: .venv/installed-dev
	$(BIN)/pytest -q -m verification

benchmarks: .venv/installed-dev
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/individuals.py
	$(BIN)/python benchmarks/curves.py
	$(BIN)/python benchmarks/evppi.py
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/sequences.py

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv results

# The locked versions first, checked by their hashes; then the package itself, as it stands here.
.venv/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $@ .venv/installed
