# The commands of this repository. Prerequisites: git, make, Python 3.13, Node 20+.

PYTHON ?= python3.13
BIN := .venv/bin
PACKAGES := activities agent bench demo function_app.py localhost operator_cli orchestrators shared tests triggers

.PHONY: demo test check serve bench lock setup clean

demo: setup ## back up real files, lose the device, restore on a new one, compare
	$(BIN)/python -m demo $(if $(DIR),--dir "$(DIR)")

serve: setup ## keep the service up and print how to log in
	$(BIN)/python -m demo.serve

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder # a file's fixtures are made once

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/basedpyright $(PACKAGES)

bench: setup ## measure, and write bench/results/*.json
	$(BIN)/python -m bench

setup: .venv/installed localhost/node_modules/.package-lock.json

.venv/installed: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

localhost/node_modules/.package-lock.json: localhost/package-lock.json .venv/installed
	$(BIN)/python -m localhost.azurite --install
	touch $@

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-header --prerelease if-necessary-or-explicit

lock: setup ## pin everything anew from pyproject.toml
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.txt
	$(COMPILE) --group app --constraint requirements-dev.txt --output-file requirements.txt
	$(COMPILE) pyproject.toml --constraint requirements-dev.txt --output-file requirements-agent.txt

clean:
	rm -rf .venv localhost/node_modules .state
