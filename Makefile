# The commands around the project. `make` alone lists them.
#
# Every path is relative, so that the folder may have any name. Tools of the virtual environment run
# as `python -m`: that needs no script whose first line holds an absolute path.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

# A Python set up for something else must not leak into ours.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PYTHONWARNINGS PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONPLATLIBDIR PYTHONEXECUTABLE PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
unexport VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE PIP_DRY_RUN PIP_REQUIRE_HASHES PIP_PYTHON PIP_NO_DEPS PIP_NO_BINARY PIP_ONLY_BINARY PIP_REPORT PIP_IGNORE_INSTALLED PIP_UPGRADE
export PYTHONNOUSERSITE := 1
export PYTHONUTF8 := 1

PYTHON := .venv/bin/python
SERVER := .venv/.server
DEV := .venv/.dev
# What runs side by side says what it has to say in one piece, where make can do that.
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: help setup setup-dev serve test faults check check-python check-packages docs format lock clean bench bench-quick bench-against sdk ui wheel example-fastapi-react example-django-vue

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' Makefile

setup: $(SERVER) ## Make .venv with the server in it
setup-dev: $(DEV) ## Make .venv with the server and the tools of development

serve: $(SERVER) ## Set up and start `sekisho dev` on port 8080 (PORT changes it)
	@sh scripts/ui.sh serve
	@exec .venv/bin/sekisho dev

test: $(DEV) ## Set up and run every test
	@sh scripts/servers.sh
	@sh scripts/ui.sh build
	$(PYTHON) -m pytest -n 2 $(if $(CHECKED),--ignore=tests/architecture)
	@sh scripts/sdk.sh test

faults: $(DEV) ## Break real processes and servers: the heavy tests, which `make test` leaves out
	$(PYTHON) -m pytest -n 2 --dist worksteal -m "heavy and not alone" tests/faults tests/storage
	$(PYTHON) -m pytest -m "heavy and alone" tests/faults

check: ## Check format, style, types and imports
	@$(MAKE) --no-print-directory -j 2 $(TOGETHER) check-python check-packages
	$(PYTHON) -m pytest -n 2 tests/architecture

check-python: $(DEV)
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

# Needs no Python, so that in a fresh checkout it need not wait for one.
check-packages:
	@sh scripts/sdk.sh check
	@sh scripts/ui.sh check

sdk: ## Build the npm package and pack it as sdk/sekisho.tgz (needs Node 20 or newer)
	@sh scripts/sdk.sh pack

ui: ## Build what the hosted pages load beside their own script (needs Node 20 or newer)
	@sh scripts/ui.sh build

wheel: $(DEV) ui ## Build the wheel into dist/, with what the pages load
	$(PYTHON) -m hatchling build -t wheel

example-fastapi-react: sdk ## Start the example with FastAPI and React on port 8001, beside `make serve`
	@exec sh examples/fastapi-react/run.sh

example-django-vue: sdk ## Start the example with Django and Vue on port 8002, beside `make serve`
	@exec sh examples/django-vue/run.sh

docs: $(DEV) ## Write the reference pages again
	$(PYTHON) scripts/reference.py
	$(PYTHON) scripts/security_reference.py
	$(PYTHON) scripts/explained_tables.py

bench: $(DEV) ## Measure the server, about twelve minutes; writes bench/results.json and its tables in the docs
	$(PYTHON) -m bench

bench-quick: $(DEV) ## Measure most of it in about a minute and a half, less exactly
	$(PYTHON) -m bench --quick

bench-against: $(DEV) ## Compare what a refresh costs with an earlier commit: REV=1a2b3c4; CALL=who-am-i, ENGINE=postgres or redis
	$(PYTHON) -m bench.against $(REV) --call $(or $(CALL),refresh) --engine $(or $(ENGINE),sqlite)

format: $(DEV) ## Put the code into the house format
	$(PYTHON) -m ruff check --select I --fix .
	$(PYTHON) -m ruff format .

lock: $(DEV) ## Resolve the dependencies again and write the locks
	@sh scripts/lock.sh

clean: ## Remove everything that can be made again (the data in .sekisho stays)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build sdk/node_modules sdk/dist sdk/*.tgz ui/node_modules src/sekisho/ui/assets examples/*/api/.venv examples/*/web/node_modules examples/*/web/dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The development lock holds everything of the server lock, in the same versions. A stamp belongs to
# the folder that it was made in: a copied or moved environment is made again.
$(SERVER): requirements/server.txt pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh server $@

$(DEV): requirements/dev.txt pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh dev $@
	@touch $(SERVER)

# Made again when the folder has moved or its interpreter has gone.
ifneq ($(shell sh scripts/setup.sh --usable && echo yes),yes)
.PHONY: $(SERVER) $(DEV)
endif
