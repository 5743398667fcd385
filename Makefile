# What a developer runs. `make` alone lists it.
BIN := .venv/bin
WORKERS ?= 2
# Measurements that need nothing but this repository; the others want a folder of exercises, apps or cases.
BENCHES ?= $(filter-out $(patsubst %,bench/%.py,polyglot impossible hardcoding quixbugs tampering todomvc programs realworld credentials findings),$(wildcard bench/*.py))

.PHONY: help setup test long sweep check docs bench demo picture wheel clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## make .venv from requirements.lock; install bubblewrap, chromium, git, xdotool and xvfb where that needs no password
	@PYTHON="$(PYTHON)" scripts/setup

test: setup ## all tests but the long ones (PYTEST="-k word" adds options)
	$(BIN)/pytest -m "not long" -n $(WORKERS) $(PYTEST)

long: setup ## the tests that take minutes
	$(BIN)/pytest -m long -n $(WORKERS) $(PYTEST)

sweep: setup ## cut the demo's power at every append (STRIDE=12 takes every twelfth)
	SHOPFLOOR_SWEEP_STRIDE=$(or $(STRIDE),1) $(BIN)/pytest -m long -s -k power_cut tests/stories/test_demo.py

check: setup ## format, lint, types, layers, docs, house rules
	@scripts/check

docs: setup ## write the generated pages of docs/
	$(BIN)/python scripts/docs.py

bench: setup ## measure, and print the figures
	@for one in $(BENCHES); do echo "== $$one"; $(BIN)/python $$one || failed="$$failed $$one"; done; \
	test -z "$$failed" || { echo "bench failed:$$failed"; exit 1; }

demo: setup ## play a recorded mission: real git, sandbox, tests and browser; only the model's replies are recorded
	@scripts/demo

picture: demo ## draw the README's picture, the demo's report
	@$(BIN)/python scripts/picture.py

wheel: setup ## build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

clean: ## remove all that the commands above have made
	rm -rf .venv .demo dist build .hypothesis .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
