# Everything is set up by the first command you choose; a second start skips what is done.
PYTHON ?= python3
BIN := .venv/bin
LANGUAGES ?= en it fr es pt de zh-Hans ja
ARTICLES ?= en it fr es pt
SETUP := $(PYTHON) tools/bootstrap.py

.DEFAULT_GOAL := help
# Without it every process that is started compiles everything it imports.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run test check format bench screens figures docs lock dist clean

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

run: ## Set up, then serve everything with demo accounts (ARGS="--port 9000")
	@$(SETUP) run
	@$(BIN)/vestibule serve --demo $(ARGS)

test: ## Set up, then run every test (ARGS="tests/login -k expired")
	@$(SETUP) test
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## Style, types and walls only: the tests that need no server
	@$(SETUP) test
	@$(BIN)/pytest tests/test_house.py tests/test_docs.py tests/test_phone_app.py

format: ## Rewrite the Python files in the house's style
	@$(SETUP) test
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: ## Measure the real server with the reference phone
	@$(SETUP) bench
	@$(BIN)/python -m bench $(ARGS)

screens: ## Write a picture of every screen to docs/screens (LANGUAGES="en it ...")
	@$(SETUP) test
	@for language in $(LANGUAGES); do \
		JOURNEY_LANGUAGE=$$language SCREENS_DIR=$${SCREENS_DIR:-docs/screens} \
			$(BIN)/pytest tests/journeys $(ARGS) || exit 1; \
	done

figures: ## Take the figures of the help articles anew (ARTICLES="en it")
	@$(SETUP) test
	@for language in $(ARTICLES); do \
		JOURNEY_LANGUAGE=$$language FIGURES_DIR=knowledge/figures \
			$(BIN)/pytest -n 0 tests/journeys/test_figures.py $(ARGS) || exit 1; \
	done

docs: ## Write the reference documents from the program
	@$(SETUP) run
	@$(BIN)/python tools/reference.py

lock: ## Resolve the dependencies again (ARGS=--upgrade); needs uv
	@sh tools/lock.sh $(ARGS)

dist: ## Build the wheel, the phone app inside
	@$(SETUP) run
	@$(BIN)/python -m hatchling build -t wheel

clean: ## Remove what set-up made; keeps the data in var/
	rm -rf .venv authenticator/node_modules authenticator/vendor dist
