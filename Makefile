# Two commands do everything: `make run` shows the whole system, `make test` proves it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
PORTS = $(if $(POSTGRES_PORT),--postgres-port $(POSTGRES_PORT)) $(if $(REDIS_PORT),--redis-port $(REDIS_PORT)) $(if $(ELASTICSEARCH_PORT),--elasticsearch-port $(ELASTICSEARCH_PORT))

.PHONY: help setup develop run check test services services-down clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done

setup:  ## build .venv from the lock file; afterwards .venv/bin/woodpecker exists
	@deploy/setup

develop:  ## as setup, with everything that tests and checks need, system packages included
	@deploy/setup --dev

run: setup  ## the whole system with its demonstration, at a printed address; Ctrl-C ends it
	@exec .venv/bin/woodpecker up --demo

check: develop  ## lint, types, and the arrows between the rooms
	@.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

test: check  ## everything, against real servers and a real browser
	@trap '$(PYTHON) -m deploy.services down --state var/test-services.json' EXIT
	addresses="$$($(PYTHON) -m deploy.services up --state var/test-services.json)"
	eval "$${addresses//WOODPECKER_/WOODPECKER_TEST_}"
	$(PYTHON) -m pytest -n 2 --dist worksteal $(ARGS)

services:  ## start PostgreSQL, Redis and Elasticsearch; prints three export lines (ports: POSTGRES_PORT=, REDIS_PORT=, ELASTICSEARCH_PORT=)
	@deploy/setup >&2
	$(PYTHON) -m deploy.services up $(PORTS)

services-down:  ## stop them and throw their data away
	@$(PYTHON) -m deploy.services down

clean:  ## remove .venv and what runs have written
	@rm -rf .venv var
