# The one door to everything: `make help`. Each target sets up what it needs, inside this folder.

PYTHON ?= python3
ENV ?= dev
PIPENV_VERSION := 2026.10.3

export CHECKPOINT_DISABLE := 1
# Node 20 works; jsii's end-of-life banner would bury our own messages.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_VERBOSITY := -1
# Many short runs of Python: each would compile every file again. Byte code is ignored by git and by what is deployed.
unexport PYTHONDONTWRITEBYTECODE

RUN := .venv/bin/python
PIPENV := .tools/bin/pipenv

.DEFAULT_GOAL := help
.PHONY: help prerequisites setup rehearse lateness test pytest bindings check lint types unit compat bench bench-rehearsal synth plan deploy destroy bootstrap replay local lock clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo '  ENV=dev|staging|prod chooses the environment (now $(ENV)); PYTHON=... the interpreter.'

prerequisites:
	@sh operations/prerequisites.sh $(PYTHON)

.tools/ready-$(PIPENV_VERSION): | prerequisites
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet pipenv==$(PIPENV_VERSION)
	@touch $@

.venv/ready: Pipfile.lock .tools/ready-$(PIPENV_VERSION) | prerequisites
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	$(PIPENV) sync --dev
	@touch $@

node_modules/ready: package-lock.json | prerequisites
	npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

setup: .venv/ready ## Install what Pipfile.lock names into .venv

rehearse: setup ## Deploy to an AWS on this machine, break streams there, show what people are told
	@$(RUN) -m operations rehearse

lateness: setup ## Show what is notified, and when, while metrics are late
	@$(RUN) -m operations lateness $(ARGS)

bench-rehearsal: setup ## Say how long the whole library takes, and one more scenario
	@$(RUN) -m rehearsal.bench

test: setup ## Run everything: lint, types, unit, synth, module and local tests
	@$(MAKE) --no-print-directory --jobs 3 lint bindings node_modules/ready
	@# mypy takes a minute of one processor the first time: beside the tests that is half of it.
	@$(MAKE) --no-print-directory --jobs 2 types pytest

pytest: setup
	$(RUN) -m pytest --numprocesses 5 --no-loadscope-reorder

bindings: setup
	@$(RUN) -c 'import main; main.load_cdktf(); import components.aws'

check: setup ## Run what is fast: lint, types, unit tests
	@$(MAKE) --no-print-directory lint types unit

lint: setup
	$(RUN) -m ruff format --check --quiet .
	$(RUN) -m ruff check --quiet .
	terraform fmt -check -recursive modules tests

types: setup
	$(RUN) -m mypy

unit: setup
	$(RUN) -m pytest --quiet --hypothesis-profile quick tests/unit

compat: setup ## Synthesize with provider 6 and with CDK Terrain, and compare
	@$(RUN) -m compat

bench: setup node_modules/ready ## Measure synthesis, growth, functions and detection; figures go to .build/bench.json
	@$(RUN) -m bench

synth: setup ## Write Terraform JSON for ENV into cdktf.out
	@TF_WORKSPACE=$(ENV) $(RUN) main.py && echo 'cdktf.out/stacks/media-workflow/cdk.tf.json is for $(ENV)'

bootstrap: setup ## Make the bucket for the state of ENV, once for an account and Region
	@$(RUN) -m operations bootstrap $(ENV)

plan: setup ## Show what would change in ENV and what it means on air; ARGS='--allow ADDRESS:ACTION' allows it
	@$(RUN) -m operations plan $(ENV) $(ARGS)

deploy: setup ## Change ENV, after you agreed to the plan
	@$(RUN) -m operations deploy $(ENV)

destroy: setup ## Remove ENV, if nothing is on air, after you agreed to it; ARGS=--stop-flows stops what is
	@$(RUN) -m operations destroy $(ENV) $(ARGS)

replay: setup ## Re-run the workflow for the dead letters of ENV; ARGS=--dry-run lists them, ARGS='--discard ID' deletes one
	@$(RUN) -m operations replay $(ENV) $(ARGS)

local: setup ## Run an AWS on this machine until Ctrl-C, and say how to point tools at it
	@$(RUN) -m operations local

lock: .tools/ready-$(PIPENV_VERSION) ## Pin the newest versions that Pipfile allows
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	$(PIPENV) lock
	$(PYTHON) operations/lock.py Pipfile.lock
	npm install --package-lock-only --ignore-scripts --silent

clean: ## Remove all that was installed or built here
	rm -rf .venv .tools .build node_modules cdktf.out .mypy_cache .ruff_cache .pytest_cache .hypothesis
