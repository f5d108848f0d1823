# Everything runs in .venv, which the first target that needs it makes. Nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo sandbox test check format build layer-size clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

setup: $(STAMP) ## install everything into .venv

demo: $(STAMP) ## a local AWS, the real template, two shops: what comes out
	$(BIN)/python -m examples.sandbox.demo

sandbox: $(STAMP) ## the same, and the local AWS stays up until Ctrl-C
	$(BIN)/python -m examples.sandbox.demo --keep

test: $(STAMP) ## unit, integration and end-to-end tests
	$(BIN)/python -m pytest -n 2 tests/unit tests/integration
	$(BIN)/python -m pytest tests/e2e

check: $(STAMP) ## format, lint, types, template
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml

format: $(STAMP) ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(SAM_VENV)/.installed:
	$(PYTHON) -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==1.170.0
	@touch $@

build: $(SAM_VENV)/.installed ## what is deployed: `sam build`, with the dependency layer for arm64
	SAM_CLI_TELEMETRY=0 $(SAM_VENV)/bin/sam build

layer-size: ## what `sam build` made of the dependencies stays below 200 MB unzipped (Lambda's limit is 250 MB)
	@bytes=$$(du -sb .aws-sam/build/DependenciesLayer | cut -f1); echo "dependency layer: $$bytes bytes unzipped"; \
	test "$$bytes" -lt 200000000

clean: ## remove what was built and installed
	rm -rf $(VENV) $(SAM_VENV) .aws-sam build
