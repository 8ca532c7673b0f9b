# Everything works from a fresh clone: each target sets up what it needs.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
DEMO_READY := .venv/.ready-demo
PIP_INSTALL := $(BIN)/pip install --disable-pip-version-check
# Runs a command, and ends whatever it has started, however it ends.
RUN := $(BIN)/python -m tests.children

.DEFAULT_GOAL := help
.PHONY: $(shell grep -ohE '^[a-z-]+:' $(MAKEFILE_LIST) | tr -d ':')

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(READY) ## Put Tminus and all that it needs into .venv

$(READY): requirements-dev.txt requirements-demo.txt pyproject.toml
	@echo "== Putting all that developing needs into .venv: some 950 MB, a few minutes"
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) -r requirements-dev.txt
	$(PIP_INSTALL) --quiet --no-deps --editable .
	@touch $(DEMO_READY) $@

# A part of what setup installs, so that a first look takes seconds; setup adds the rest to the same .venv.
$(DEMO_READY): requirements-demo.txt pyproject.toml
	@echo "== Putting the embedded runtime into .venv: some 200 MB, half a minute"
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) -r requirements-demo.txt
	$(PIP_INSTALL) --quiet --no-deps --editable .
	@touch $@

demo: $(DEMO_READY) ## Watch two campaigns live through their timeline in seconds
	@$(BIN)/tminus demo

up: $(DEMO_READY) ## Serve all functions on one port with the clock running
	@$(BIN)/tminus up

# Three processes on two cores: tests wait for processes that they start.
# With COVERAGE=1 the tests leave behind what they reached in .coverage, for `make coverage`.
PYTEST := $(RUN) $(BIN)/$(if $(COVERAGE),coverage run -m )pytest -n 3 --dist worksteal
APART := --ignore tests/bigquery --ignore tests/api_clients --ignore tests/firebase_rules

check: lint ## Check style and types, and run the quick tests: rules, imports, functions on SQLite (90 seconds)
	$(PYTEST) -m "not slow and not long" tests/unit tests/architecture tests/functional

test: $(READY) ## Run all tests but the long ones and those that live apart (6 minutes)
	$(if $(COVERAGE),$(BIN)/coverage erase)
	$(PYTEST) -m "not long" $(APART)

test-long: $(READY) ## Run the long tests, which make test leaves out, and every property on all of its examples
	ALL_EXAMPLES=1 $(PYTEST) -m "long or hypothesis" $(APART)

test-all: ## Run all that CI runs (under an hour): make test with coverage, and then make test-rest
	$(MAKE) test COVERAGE=1
	$(MAKE) coverage
	$(MAKE) test-rest

test-rest: ## Run what CI runs after make test; what needs one core runs beside another
	$(MAKE) -j2 --output-sync lint test-api-fuzz test-bigquery chaos bench-smoke test-runtime infra-check \
	    test-api-clients test-wheel test-rules demo sbom
	$(MAKE) test-long
	$(MAKE) simulate-fresh prove-smoke

coverage: $(READY) ## Print the coverage of lines and branches, after make test COVERAGE=1; functions/ needs 90%
	@ls .coverage/data* >/dev/null 2>&1 || $(MAKE) test COVERAGE=1
	@ls .coverage/data.* >/dev/null 2>&1 && $(BIN)/coverage combine --append --quiet || true
	@$(BIN)/coverage report --include "audience_jobs/*,local/*" | tail -n 1
	@$(BIN)/coverage report --include "functions/*" --fail-under 90

# bqemulator pins other versions than Tminus, so it lives apart.
EMULATOR_VENV := tests/bigquery/.venv

test-bigquery: $(READY) $(EMULATOR_VENV)/.ready ## Run the tests that compare BigQuery with the other engines (4 minutes)
	$(PYTEST) tests/bigquery

$(EMULATOR_VENV)/.ready: tests/bigquery/requirements.txt
	$(PYTHON) -m venv $(EMULATOR_VENV)
	$(EMULATOR_VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/bigquery/requirements.txt
	@touch $@

# The generators of clients pin other versions than Tminus, and one of them runs on node, so they live apart.
CLIENTS := tests/api_clients

test-api-clients: $(READY) $(CLIENTS)/.venv/.ready ## Generate clients of the API in Python and TypeScript, and use them (needs node and npm)
	$(RUN) $(BIN)/pytest $(CLIENTS)

$(CLIENTS)/.venv/.ready: $(CLIENTS)/requirements.txt $(CLIENTS)/package-lock.json
	$(PYTHON) -m venv $(CLIENTS)/.venv
	$(CLIENTS)/.venv/bin/pip install --quiet --disable-pip-version-check -r $(CLIENTS)/requirements.txt
	npm ci --prefix $(CLIENTS) --silent --no-audit --no-fund
	@touch $@

# firebase-tools is 240 MB, so it lives apart.
RULES := tests/firebase_rules

test-rules: $(READY) $(RULES)/node_modules/.ready ## See that Firestore's rules refuse apps and browsers everything (needs node, npm and Java)
	$(RUN) $(BIN)/pytest $(RULES)

$(RULES)/node_modules/.ready: $(RULES)/package-lock.json
	npm ci --prefix $(RULES) --silent --no-audit --no-fund --ignore-scripts
	@touch $@

test-api-fuzz: $(READY) ## Make thousands of calls out of the API's document, for four minutes
	$(RUN) $(BIN)/python -m tests.fuzz.api

chaos: $(READY) ## Kill, fill, lock and move away what a running tminus stands on, for three minutes (needs root or unshare)
	$(RUN) $(BIN)/python -m tests.fuzz.chaos $(if $(SEED),--seed $(SEED))

wheel: $(READY) ## Build the package, as a source archive and a wheel, into dist/
	rm -rf dist
	$(BIN)/python -m build

test-wheel: wheel ## Install the wheel into an empty virtual environment, and run tminus from it
	$(RUN) $(BIN)/pytest tests/wheel/smoke.py

test-runtime: $(READY) ## Call every function in a bare Debian with what is deployed (2 minutes, 4 the first time; needs root, mmdebstrap)
	$(RUN) $(BIN)/pytest tests/runtime/smoke.py

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy main.py tminus functions audience_jobs local tests bench

format: $(READY) ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: bench-start bench-api bench-delivery ## Run all benchmarks; each compares with a peer in the same run

bench-delivery: $(READY) ## Measure sending: messages a second, memory, cost (some 20 minutes; needs nginx, and says so)
	$(RUN) $(BIN)/python -m bench.delivery

bench-start: $(READY) ## Measure the first answer of a fresh process against a bare functions-framework app (a minute)
	$(BIN)/python -m bench.start

bench-audiences: $(READY) ## Measure all audience jobs at a million users against pandas (10 minutes, 8 GiB of memory)
	$(BIN)/python -m bench.audiences

bench-api: $(READY) ## Measure the API's reads with 1,000 recipes and 100,000 executions (a minute)
	$(BIN)/python -m bench.api

bench-console: $(READY) ## Measure the console's pages with 1,000 recipes and 100,000 executions (a minute)
	$(BIN)/python -m bench.console

screenshots: $(READY) ## Take pictures of every page of the console for docs/screenshots (needs chromium, and says so)
	$(RUN) $(BIN)/python -m local.pictures.screenshots

bench-smoke: $(READY) ## See that the benchmarks run, on small numbers
	$(RUN) $(BIN)/python -m bench.delivery --quick --out bench/out/smoke.json
	$(BIN)/python -m bench.start --rounds 1 --out bench/out/smoke-start.json
	$(BIN)/python -m bench.api --recipes 200 --executions 400 --calls 3 --out bench/out/smoke-api.json
	$(BIN)/python -m bench.audiences --users 2000 5000 --out bench/out/smoke-audiences.json
	$(BIN)/python -m bench.console --recipes 20 --executions 100 --visits 2 --out bench/out/smoke-console.json

soak: $(READY) ## Simulate 2,000 days of harsh faults (20 minutes on 2 cores), and write bench/out/soak.json
	$(BIN)/python -m local.simulator soak

simulate-fresh: $(READY) ## Simulate new days, for two and a half minutes
	$(BIN)/python -m local.simulator fresh

prove-simulator: $(READY) ## See that the simulator finds every planted defect, and write bench/out/planted.json
	$(BIN)/python -m local.simulator prove

prove-smoke: $(READY) ## See that the simulator finds the day's share of the planted defects
	$(BIN)/python -m local.simulator prove --share

# checkov has a hundred dependencies of its own, so it lives apart. The folder is called .venv for everybody who skips
# folders of that name.
INFRA_VENV := infra/.venv
INFRA_DIRS := infra infra/environments/staging infra/environments/prod

infra-check: $(INFRA_VENV)/.ready ## Check the Terraform: format, validity, tests, checkov
ifdef TERRAFORM_CHECK
	$(TERRAFORM_CHECK) $(INFRA_DIRS)
else
	terraform fmt -check -recursive infra
	set -e; for dir in $(INFRA_DIRS); do \
	    echo "== $$dir"; \
	    terraform -chdir=$$dir init -backend=false -input=false >/dev/null; \
	    terraform -chdir=$$dir validate; \
	done
	terraform -chdir=infra test
endif
	$(INFRA_VENV)/bin/checkov --directory infra --framework terraform --quiet --compact --skip-download

infra-record: $(READY) ## Write infra/tests/deployment.json again, which tests of tminus doctor start from
	$(if $(TERRAFORM_CHECK),$(TERRAFORM_CHECK) infra,terraform -chdir=infra test -no-color -filter=tests/doctor.tftest.hcl) 2>&1 \
	    | $(BIN)/python -m tests.doctor.record

$(INFRA_VENV)/.ready: infra/requirements.txt
	$(PYTHON) -m venv $(INFRA_VENV)
	$(INFRA_VENV)/bin/pip install --quiet --disable-pip-version-check -r infra/requirements.txt
	@touch $@

lock: $(READY) ## Pin the newest versions that pyproject.toml allows
	$(BIN)/pip install --quiet pip-tools==7.6.2
	$(COMPILE) --generate-hashes --output-file requirements.txt requirements.in
	$(COMPILE) --extra cloud --extra dev --extra otel --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) --constraint requirements-dev.txt --output-file requirements-demo.txt pyproject.toml

COMPILE := $(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --no-header \
    --no-annotate

# cyclonedx-bom has dependencies of its own, so it lives apart.
SBOM := infra/sbom

sbom: $(READY) $(SBOM)/.venv/.ready ## List what is deployed, with versions and hashes, in build/sbom.cdx.json (CycloneDX)
	@mkdir -p build
	$(SBOM)/.venv/bin/cyclonedx-py requirements requirements.txt --output-reproducible --output-format JSON \
	    --output-file build/sbom.python.cdx.json
	$(BIN)/python $(SBOM)/complete.py build/sbom.python.cdx.json build/sbom.cdx.json

$(SBOM)/.venv/.ready: $(SBOM)/requirements.txt
	$(PYTHON) -m venv $(SBOM)/.venv
	$(SBOM)/.venv/bin/pip install --quiet --disable-pip-version-check -r $(SBOM)/requirements.txt
	@touch $@

clean: ## Remove what setup, demo, up and wheel have made
	rm -rf .venv .tminus build dist infra/.venv infra/sbom/.venv tests/bigquery/.venv tests/api_clients/.venv tests/api_clients/node_modules tests/firebase_rules/node_modules
