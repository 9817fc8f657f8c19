# The ways to build, test and try Cluster-Forge. Needs Python 3.11–3.14, git and make; `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
STARTER := build/starter
PYTHON ?=
PYTEST_ARGS ?=
WORKERS ?= auto
FUZZ_ARGS ?=
BENCH_ARGS ?=
E2E_ARGS ?=
CLUSTER := build/e2e
PYTEST := $(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-config --custom-compile-command 'make requirements' pyproject.toml

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F '|' '{ printf "%-22s %s\n", $$1, $$2 }'

.PHONY: venv
venv: $(VENV)/installed.stamp ## create .venv from the pinned requirements, with the package in it

$(VENV)/pinned.stamp: requirements/dev.txt
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && echo "creating $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)
	@echo "installing $$(grep -c '==' requirements/dev.txt) pinned packages into $(VENV): a minute, or several on a slow network"
	@$(PIP) install --no-deps --require-hashes --requirement requirements/dev.txt
	@echo "installed"
	@touch $@

$(VENV)/installed.stamp: $(VENV)/pinned.stamp pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: forge
forge: venv ## forge the starter stack, offline, in build/starter
	@mkdir -p $(STARTER)
	@test -f $(STARTER)/input/config.yaml || $(BIN)/cluster-forge -C $(STARTER) init --yes
	@$(BIN)/cluster-forge -C $(STARTER) forge --offline
	@echo; echo "The starter stack is in $(STARTER)/stacks/starter; its description in $(STARTER)/input."

# Beside the virtual environment, so that no test waits for Go; without Go the tests that need a registry are skipped.
.PHONY: servers
servers: venv ## build the servers that tests start (needs Go; two minutes at first, then they are kept)
	@if ! command -v go >/dev/null; then echo "no Go: the tests that start a registry are skipped"; \
	else $(BIN)/python -m tests.servers.registry || echo "no registry: the tests that start one are skipped"; fi

.PHONY: test
test: servers ## run the tests on all cores (PYTEST_ARGS='-k order' for some of them, WORKERS=0 for one process)
	$(PYTEST) $(PYTEST_ARGS)

# Only a KUBECONFIG on the command line counts: the tests remove objects, and the environment may name a cluster that matters.
.PHONY: e2e
e2e: venv ## run the tests on a real cluster of their own, or with KUBECONFIG=FILE on that one
	$(BIN)/python -m tests.e2e test $(if $(filter command,$(firstword $(origin KUBECONFIG))),--kubeconfig='$(KUBECONFIG)') $(PYTEST_ARGS)

.PHONY: e2e-all
e2e-all: ## the same, with every failure, kill and upgrade, and an older Argo CD: an hour
	@$(MAKE) --no-print-directory e2e PYTEST_ARGS='$(PYTEST_ARGS) --all-faults --upgrades'
	@$(MAKE) --no-print-directory e2e PYTEST_ARGS='--argocd-version 3.0 tests/e2e/test_argocd_*.py tests/e2e/test_central.py'

.PHONY: e2e-up
e2e-up: venv ## start a cluster in build/e2e to try things on (E2E_ARGS='--nodes 10 --argocd')
	@$(BIN)/python -m tests.e2e up $(CLUSTER) $(E2E_ARGS)

.PHONY: e2e-down
e2e-down: venv ## end it
	@$(BIN)/python -m tests.e2e down $(CLUSTER)

.PHONY: coverage
coverage: servers ## run the tests and require 90 % branch coverage below the command line
	@mkdir -p build
	$(PYTEST) --cov --cov-report=term $(PYTEST_ARGS)

.PHONY: lint
lint: venv ## formatting, ruff, mypy strict, the layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: fmt
fmt: venv ## format the code and fix what ruff can fix
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: scripts
scripts: venv ## run shellcheck on the generated scripts and the project's own
	$(BIN)/python tools/check_scripts.py

.PHONY: docs
docs: venv ## build the documentation site into build/site, strictly
	$(BIN)/zensical build --clean --strict

.PHONY: wheel
wheel: venv ## build the wheel, install it alone, and forge the starter stack with it in an empty folder
	$(BIN)/python tools/check_wheel.py

.PHONY: check
check: venv ## everything that CI runs: the tests, and beside them lint, scripts, docs and wheel
	@$(MAKE) --no-print-directory --keep-going --jobs=2 coverage beside

.PHONY: check-all
check-all: ## the same, with every component of the catalog tried in full
	@$(MAKE) --no-print-directory check PYTEST_ARGS='$(PYTEST_ARGS) --catalog=all'

# One after the other on what the tests leave of the cores. What passes takes one line; what fails is printed whole.
.PHONY: beside
beside: venv
	@mkdir -p build; failed=; \
	for target in lint scripts docs wheel; do \
		if $(MAKE) --no-print-directory $$target >build/$$target.log 2>&1 </dev/null; then echo "make $$target: passed"; \
		else failed="$$failed $$target"; cat build/$$target.log; echo "make $$target: FAILED"; fi; \
	done; \
	test -z "$$failed"

.PHONY: bench
bench: venv ## time the verbs, cold and warm, and Helm on the same charts (BENCH_ARGS='--runs 1 everything')
	$(BIN)/python -m tools.bench $(BENCH_ARGS)

.PHONY: bench-quick
bench-quick: override BENCH_ARGS += --quick
bench-quick: bench ## the same for one stack, in under a minute

.PHONY: fuzz
fuzz: venv ## try 100,000 broken and hostile inputs (FUZZ_ARGS='--replay FILE' for one of them)
	$(BIN)/python tools/fuzz.py $(FUZZ_ARGS)

.PHONY: golden
golden: venv ## update the golden trees, and show what changed
	$(BIN)/pytest --update-golden $(PYTEST_ARGS)
	git --no-pager diff --stat -- tests/golden

.PHONY: requirements
requirements: venv ## pin the requirements again (UPGRADE=--upgrade for newer versions)
	$(UV_COMPILE) $(UPGRADE) --output-file requirements/runtime.txt
	$(UV_COMPILE) $(UPGRADE) --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt

.PHONY: clean
clean: ## remove everything that make created
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
