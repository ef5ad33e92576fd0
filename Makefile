# Two commands are all there is to know: `make demo` and `make test`. The rest are their parts.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
FAILED := $(VENV)/.e2e-failed

.PHONY: demo test lint types imports unit crds protos check-crds chart-classes chart-docs e2e e2e-worlds e2e-faults e2e-karpenter bench accuracy calibrate frontiers up down lock clean help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("chipwise needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "== python: making $(VENV) from requirements.lock"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## watch chipwise move Deployments on a real control plane
	@$(BIN)/python -m e2e.demo

test: lint types imports check-crds unit e2e ## everything: what CI runs

lint: $(STAMP) ## ruff, check and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

imports: $(STAMP) ## the import contracts
	$(BIN)/lint-imports

unit: $(STAMP) ## unit and property tests, no cluster
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest tests --numprocesses=auto

crds: $(STAMP) ## render crds/ from the models
	$(BIN)/python -m chipwise.api.crds crds

protos: $(STAMP) ## write the code of the gRPC messages
	$(BIN)/python -m grpc_tools.protoc -I operator --python_out=operator --pyi_out=operator operator/chipwise/expander/wire/expander.proto operator/chipwise/expander/wire/pod.proto

check-crds: $(STAMP)
	$(BIN)/python -m chipwise.api.crds --check crds

chart-classes: $(STAMP) ## write the classes that the chart can install from the catalogue
	$(BIN)/python -m charts.classes

chart-docs: $(STAMP) ## write the tables of docs/chart.md from the chart
	$(BIN)/python -m charts.reference

# The programs first: building them takes longer than a test may.
e2e: $(STAMP) ## the API server and end-to-end tests on a real control plane
	@$(BIN)/python -m e2e.cluster tools
	@rm -f $(FAILED)
	@CHIPWISE_E2E_FAILED=$(abspath $(FAILED)) $(MAKE) --no-print-directory -j3 e2e-worlds e2e-faults e2e-karpenter \
		|| { echo "== failed, of all parts:"; cat $(FAILED) 2>/dev/null; exit 1; }

# Three parts side by side, each on a control plane of its own: all wait more than they compute. The third is the shortest, so it goes on
# with the last files of the second, on one more control plane.
LATER := $(addprefix e2e/test_,$(addsuffix .py,priority_expander provisioning_requests quiet rights scale_up_refused setbacks spare telemetry when_to_move))

e2e-worlds: $(STAMP)
	$(BIN)/pytest e2e -m "not faults and not karpenter"

e2e-faults: $(STAMP)
	$(BIN)/pytest e2e -m faults $(addprefix --ignore=,$(LATER))

e2e-karpenter: $(STAMP)
	$(BIN)/pytest e2e -m karpenter
	CHIPWISE_E2E_FAULTS_CLUSTER=$${CHIPWISE_E2E_FAULTS_CLUSTER:-chipwise-e2e-faults}-later $(BIN)/pytest -m faults $(LATER)

accuracy: $(STAMP) ## how far estimates are off on measurements held out: docs/accuracy.md, a minute
	$(BIN)/python -m benchmarks.accuracy

calibrate: $(STAMP) ## learn the estimator's constants from all measurements that ship
	$(BIN)/python -m benchmarks.accuracy.calibrate

frontiers: $(STAMP) ## draw the frontiers of docs/estimating.md anew
	@for model in openai/gpt-oss-120b meta-llama/Llama-3.1-70B; do \
	  $(BIN)/chipwise estimate --frontier $$model --region us-east-1 --region eastus --region westus3 \
	    --plot docs/frontier-$$(basename $$model | tr A-Z a-z).svg > /dev/null || exit 1; \
	done

bench: $(STAMP) ## every figure of the README
	$(BIN)/python -m benchmarks

up: $(STAMP) ## only start the local control plane
	$(BIN)/python -m e2e.cluster up

down: ## remove the local control planes
	$(PYTHON) -m e2e.cluster down

lock: ## pin the dependencies anew (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements-runtime.lock
	uv pip compile --group pyproject.toml:build --constraints requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements-build.lock

clean: down ## remove the virtual environment too
	rm -rf $(VENV)
