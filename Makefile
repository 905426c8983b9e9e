# `make help` lists the targets. Each installs what it needs into this folder, and forwards to `media-workflow`.

PYTHON ?= python3
PIPENV_VERSION := 2026.10.3

export CHECKPOINT_DISABLE := 1
# Node 20 works; the end-of-life banner of jsii would hide our own messages.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_VERBOSITY := -1
# Without byte code each of many short Python runs compiles every file again. Git and the packages ignore it.
unexport PYTHONDONTWRITEBYTECODE

RUN := .venv/bin/python
CLI := .venv/bin/media-workflow
PIPENV := .tools/bin/pipenv

# ENV and ARGS are read from the command line only: a variable that a shell exported an hour ago must not choose what is
# destroyed. Wrong ones are refused here, before setup or anything else runs.
NEEDS_ENV := bootstrap deploy destroy plan replay
TAKES_ENV := $(NEEDS_ENV) help synth
TAKES_ARGS := $(NEEDS_ENV) bench coverage fuzz help lateness local pytest rehearse unit
TAKES_NOTHING := prerequisites setup test bindings check lint types compat bench-rehearsal lock release clean
TARGETS := $(sort $(TAKES_ENV) $(TAKES_ARGS) $(TAKES_NOTHING))

.DEFAULT_GOAL := help
.PHONY: $(TARGETS)

comma := ,
empty :=
space := $(empty) $(empty)
goals := $(filter $(TARGETS),$(or $(MAKECMDGOALS),help))
goal := $(firstword $(goals))
stray := $(filter-out $(TARGETS) .venv/ready node_modules/ready .tools/ready-%,$(MAKECMDGOALS))
environments := $(sort $(notdir $(basename $(wildcard environments/*.toml))))
environment_list := $(subst $(space),$(comma) ,$(environments))
from_shell = $(filter environment,$(firstword $(origin $(1))))
on_command_line = $(filter command,$(firstword $(origin $(1))))
as_given = $(if $(call on_command_line,$(1)),$($(1)))
lower_case = $(shell printf '%s' '$(1)' | tr '[:upper:]' '[:lower:]')
given := $(foreach name,$(filter-out ENV ARGS,$(.VARIABLES)),$(if $(call on_command_line,$(name)),$(name)))
meant_env := $(foreach name,$(given),$(if $(filter env environment,$(call lower_case,$(name))),$(name)))
meant_args := $(foreach name,$(given),$(if $(filter arg args arguments,$(call lower_case,$(name))),$(name)))
needs_env := $(firstword $(filter $(NEEDS_ENV),$(goals)))
takes_env := $(firstword $(filter $(TAKES_ENV),$(goals)))
takes_args := $(firstword $(filter $(TAKES_ARGS),$(goals)))

# A stray word that is not an environment is an argument. Suggestions keep it: without a mistyped --dry-run the
# suggested command would change something.
meant_one := $(firstword $(filter $(environments),$(stray)) $(call as_given,ENV) $(stray))
rest := $(filter-out $(meant_one),$(stray))

ifneq ($(and $(stray),$(goal)),)
$(error make $(goal) does not take "$(stray)". $(if $(takes_env),Write: make $(takes_env) ENV=$(meant_one)$(if $(and $(takes_args),$(rest)), ARGS='$(rest)'),$(if $(takes_args),Write: make $(takes_args) ARGS='$(stray)',See make help)))
endif
ifneq ($(meant_env),)
$(error make does not know $(firstword $(meant_env)). Write: make $(goal) ENV=$($(firstword $(meant_env))))
endif
ifneq ($(meant_args),)
$(error make does not know $(firstword $(meant_args)). Write: make $(goal) ARGS='$($(firstword $(meant_args)))')
endif
ifneq ($(and $(takes_env),$(call from_shell,ENV)),)
$(error ENV=$(ENV) comes from your shell$(comma) not from this command. If you mean it, write: make $(takes_env) ENV=$(ENV))
endif
ifneq ($(and $(takes_args),$(call from_shell,ARGS)),)
$(error ARGS comes from your shell$(comma) not from this command. Run: unset ARGS)
endif
ifneq ($(and $(needs_env),$(filter-out 1,$(words $(ENV)))),)
$(error make $(needs_env) needs one environment. Write: make $(needs_env) ENV=NAME$(comma) where NAME is one of $(environment_list))
endif
ifneq ($(and $(call on_command_line,ENV),$(goal),$(if $(takes_env),,yes)),)
$(error make $(goal) takes no ENV$(if $(filter local rehearse,$(goal)),. Write: make $(goal) ARGS='--environment $(ENV)'))
endif
ifneq ($(and $(call on_command_line,ARGS),$(goal),$(if $(takes_args),,yes)),)
$(error make $(goal) takes no ARGS)
endif

help: ## List the available targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo
	@echo '  ENV=NAME    the environment, one of $(environment_list); no default where AWS is read or changed'
	@echo "  ARGS='...'  arguments to add, for $(subst $(space),$(comma) ,$(sort $(filter-out help,$(TAKES_ARGS))))"
	@echo '  PYTHON=...  the Python interpreter (now $(PYTHON))'
	@echo '  ENV and ARGS are read from the command line of make only, not from the shell.'

prerequisites:
	@sh tools/operations/prerequisites.sh "$(PYTHON)"

.tools/ready-$(PIPENV_VERSION): | prerequisites
	"$(PYTHON)" -m venv --clear .tools
	.tools/bin/python -m pip install --quiet pipenv==$(PIPENV_VERSION)
	@touch $@

.venv/ready: Pipfile.lock pyproject.toml .tools/ready-$(PIPENV_VERSION) | prerequisites
	@test -x $(RUN) || "$(PYTHON)" -m venv .venv
	$(PIPENV) sync --dev
	$(RUN) -m pip install --quiet --no-deps --no-build-isolation --disable-pip-version-check --editable .
	@touch $@

node_modules/ready: package-lock.json | prerequisites
	npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

setup: .venv/ready ## Install the packages of Pipfile.lock into .venv

rehearse: setup ## Play scenarios on a local AWS and show the notifications; ARGS=NAME plays one scenario
	@$(CLI) rehearse $(ARGS)

lateness: setup ## Show which notifications arrive, and when, while metrics are late
	@$(CLI) lateness $(ARGS)

bench-rehearsal: setup ## Measure how long all scenarios take, and one more
	@$(CLI) bench-rehearsal

test: setup ## Run all checks and tests: lint, types, unit, synth, module, local
	@$(MAKE) --no-print-directory --jobs 3 lint bindings node_modules/ready
	@# The first mypy run takes a minute of one processor: run it beside the tests.
	@$(MAKE) --no-print-directory --jobs 2 types pytest

pytest: setup
	$(RUN) -m pytest --numprocesses 5 --dist loadgroup --no-loadscope-reorder $(ARGS)

bindings: setup
	@$(RUN) -c 'import components.aws'

check: setup ## Run the fast checks: lint, types, unit tests
	@$(MAKE) --no-print-directory lint types unit

lint: setup
	$(RUN) -m ruff format --check --quiet .
	$(RUN) -m ruff check --quiet .
	terraform fmt -check -recursive modules tests
	@PYTHONPATH=lambda_src .venv/bin/lint-imports --no-cache --no-logo
	@$(RUN) -m tools.lint.dead_code
	@$(RUN) -m tools.lint.prose

types: setup
	$(RUN) -m mypy

unit: setup
	$(RUN) -m pytest --quiet --hypothesis-profile quick tests/unit $(ARGS)

fuzz: setup ## Try the property tests with many random inputs
	$(RUN) -m pytest --quiet --hypothesis-profile random -m hypothesis tests/unit tests/properties $(ARGS)

coverage: setup node_modules/ready ## Measure the coverage of the tests without the local AWS; fails below the floor
	$(RUN) -m pytest --quiet --cov --cov-report term tests/unit tests/rehearsal tests/plans tests/commands $(ARGS)

compat: setup ## Compare what provider 6 and CDK Terrain synthesize
	@$(CLI) compat

bench: setup node_modules/ready ## Measure synthesis, growth, functions and detection; writes .build/bench.json
	@$(CLI) bench $(ARGS)

synth: setup ## Write the Terraform JSON of ENV (default: dev) to cdktf.out
	@TF_WORKSPACE='$(or $(ENV),dev)' $(RUN) main.py && echo 'Wrote cdktf.out/stacks/media-workflow/cdk.tf.json for $(or $(ENV),dev)'

bootstrap: setup ## Create the bucket for the Terraform state of ENV. Safe to run again
	@$(CLI) bootstrap '$(ENV)' $(ARGS)

plan: setup ## Show what would change in ENV and its live impact; ARGS='--allow ADDRESS:ACTION' allows a change
	@$(CLI) plan '$(ENV)' $(ARGS)

deploy: setup ## Plan and review ENV, ask, and apply exactly that plan
	@$(CLI) deploy '$(ENV)' $(ARGS)

destroy: setup ## Remove ENV after asking; refuses while a flow is on air. ARGS=--stop-flows stops it first
	@$(CLI) destroy '$(ENV)' $(ARGS)

replay: setup ## Re-run the workflow for the dead letters of ENV; ARGS=--dry-run lists them, ARGS='--discard ID' deletes one
	@$(CLI) replay '$(ENV)' $(ARGS)

local: setup ## Run a local AWS until Ctrl-C and print how to use it; ARGS=--port=5000 sets the port
	@$(CLI) local $(ARGS)

lock: .tools/ready-$(PIPENV_VERSION) ## Lock the newest versions that Pipfile and package.json allow
	@test -x $(RUN) || "$(PYTHON)" -m venv .venv
	$(PIPENV) lock
	$(PYTHON) tools/operations/lock.py Pipfile.lock
	npm install --package-lock-only --ignore-scripts --silent

release: ## Release VERSION=X.Y.Z: changelog, version, commit and tag; pushes nothing
	@sh tools/release.sh '$(VERSION)'

clean: ## Remove everything that was installed or built in this folder
	rm -rf .venv .tools .build node_modules cdktf.out .mypy_cache .ruff_cache .pytest_cache .hypothesis
