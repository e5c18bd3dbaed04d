# Everything a newcomer or a maintainer runs. `make help` lists it.
VENV   := .venv
PY     := $(VENV)/bin/python
TORCH  := torch==2.13.0
READY  := $(VENV)/.ready
SYSTEM := $(VENV)/.system
PACKAGES := chromium libreoffice-writer-nogui libreoffice-calc-nogui poppler-utils postgresql
export OMP_WAIT_POLICY := passive

.DEFAULT_GOAL := help
.PHONY: help serve worker chaos install demo demo-local test unit check format evals evals-local gate bench bench-cost bench-service clean

help:  ## list what can be run
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(READY)  ## set everything up in .venv

$(READY): pyproject.toml uv.lock
	@echo "Setting up: a virtual environment, PyTorch for the CPU, then the locked packages."
	@python3 -c 'import sys; sys.exit(sys.version_info[:2] not in ((3,11),(3,12)))' || { echo "Polyphonie needs Python 3.11 or 3.12 as python3."; exit 1; }
	@python3 -m venv $(VENV) || { apt-get update -q && apt-get install -qy python3-venv && python3 -m venv $(VENV); }
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(PY) -c 'import torch' 2>/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(VENV)/bin/uv sync --quiet --frozen --inexact --all-extras --compile-bytecode --python $(PY)
	@touch $@

# What some tests drive: a browser, LibreOffice, PostgreSQL. Without them, those tests skip and say so.
$(SYSTEM): $(READY)
	@if command -v chromium && command -v soffice && ls /usr/lib/libreoffice/program/libswlo.so /usr/lib/libreoffice/program/libsclo.so && command -v pdftoppm && ls /usr/lib/postgresql/*/bin/postgres; then :; \
	elif command -v apt-get && [ "$$(id -u)" = 0 ]; then \
	  echo "Installing what the tests drive: $(PACKAGES)"; apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(PACKAGES); \
	else echo "Some tests will skip: install $(PACKAGES)"; fi >$(VENV)/system.log 2>&1 || cat $(VENV)/system.log
	@grep -h 'Some tests' $(VENV)/system.log || true
	@touch $@

demo: install  ## draft the example round and say where to look
	@$(PY) -m service draft examples/round/answers.csv --out out/demo

demo-local: install  ## the same with the packaged small model behind a real server (slow, poor French: see docs/models.md)
	@$(PY) -m service draft examples/round/answers.csv --out out/demo-local --llm local

test: $(SYSTEM)  ## the whole test suite
	@$(PY) -m pytest -n auto --dist loadfile

unit: install  ## the tests that need no model and no network
	@$(PY) -m pytest tests/unit -n auto

check: install  ## format, lint, types, import layers, prompt lock
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/hadolint Dockerfile
	@$(PY) -m service prompts verify

format: install  ## put the code in shape
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

evals: install  ## every draft stage measured against people's work, without a model (POLYPHONIE_DATA names the folder of reference sets)
	@$(PY) -m service evals run --out out/evals
	@$(PY) -m service evals table out/evals

evals-local: install  ## the packaged model on a few cases of each set, beside the run of `make evals`; slow, goes on where it was stopped
	@$(PY) -m service evals run --llm local --suite labels,synthesis,themes --set esante-2020,grand-debat-coded,argkp2021,opinosis --cases 3 --out out/evals-local
	@$(PY) -m service evals run --llm local --set example --out out/evals-local-example
	@$(PY) -m service evals table --short out/evals out/evals-local out/evals-local-example

gate: install  ## the example round measured and held against the committed baseline: no figure may be worse
	@$(PY) -m service evals run --set example --out out/gate
	@$(PY) -m service evals gate out/gate

bench: install  ## speed, memory and agreement against peers
	@$(PY) -m evals.bench --install-peer

bench-service: install  ## the service under load: reads against an empty route, 50 drafts at once, memory, 250,000 answers
	@$(PY) -m evals.bench.service

bench-cost: install  ## tokens of a draft of 1,000 answers beside ThemeFinder's, which gets an environment of its own
	@$(PY) -m evals.bench.cost --install-peer

serve: install  ## the service on http://127.0.0.1:8000, a worker inside
	@$(PY) -m service serve

worker: install  ## hands for the service: needs a PostgreSQL that both share (POLYPHONIE_DATABASE_URL, see docs/operate.md)
	@$(PY) -m service worker

chaos: $(SYSTEM)  ## drafts whose processes are killed, 50 times on SQLite and 50 on PostgreSQL
	@$(PY) -m tests.chaos

.PHONY: pictures
pictures: $(SYSTEM)  ## the pictures of docs/pictures, from the example round
	@$(PY) -m service draft examples/round/answers.csv --out out/demo
	@$(PY) -m tests.report_pictures out/demo/draft.json
	@$(PY) -m tests.pictures docs/pictures

clean:  ## remove what was made, keep the caches
	rm -rf out $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
