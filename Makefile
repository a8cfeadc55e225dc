# The daily habits. `make` alone lists them; each one brings what it needs the first time and not again.

PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PORT := 3000

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The environment of this file's commands, with the tested versions; a stamp says which pins are in it.
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev

CONTRACT_TOOL := .venv-datacontract
PEERS := benchmarks/.venv
AUDIT := .venv-audit

.DEFAULT_GOAL := help
.PHONY: help demo ui test test-long slow versions faults bench audit lint docs datacontract constraints clean

help:
	@echo "make demo         install, run the last 14 days of the embedded sandbox, print what came of it"
	@echo "make ui           Dagster UI with its daemon on http://127.0.0.1:$(PORT) (PORT=N for another port)"
	@echo "make test         install what tests need, run the tests, eight minutes or so on two cores"
	@echo "make test-long    longer ways through Dagster, and a day by clicks in a browser"
	@echo "make versions     the demo and make test with other Pythons and the newest Dagster: PYTHONS=..."
	@echo "make slow         the tests that take long, such as kills at random moments and a real daemon"
	@echo "make faults       try about a hundred faults against what the project promises, write docs/faults.md"
	@echo "make bench        measure speed against peers and limits, write docs/benchmarks.md"
	@echo "make audit        look the pinned versions up among known vulnerabilities; 75 where no database answers"
	@echo "make lint         ruff, mypy and the import rules"
	@echo "make docs         write docs/data-dictionary.md and docs/erd.md anew from the contract and the marts"
	@echo "make datacontract write the contract as an ODCS file and test the Parquet files of the data root against it"
	@echo "make constraints  write constraints*.txt anew from pyproject.toml"
	@echo "make clean        remove .venv and caches; data/ stays"
	@echo "PYTHON=path       the Python to install with, 3.11 to 3.13 (now $(PYTHON))"

demo: $(RUN_STAMP)
	@$(BIN)/order-assets demo

# Two processes that touch a fresh history at once fail, so it is made before the webserver and the daemon start.
# Dagster warns that it does not read the dagster.yaml of this folder: it reads the same text beside the history.
ui: $(RUN_STAMP)
	@$(BIN)/python tools/free_port.py "$(PORT)"
	@DAGSTER_HOME=$$($(BIN)/python -m order_assets.dagster_home) || exit 2; \
	export DAGSTER_HOME SQLITE_TMPDIR="$$DAGSTER_HOME"; \
	echo "Dagster's history: $$DAGSTER_HOME"; log="$$DAGSTER_HOME/.migrate.log"; \
	$(BIN)/dagster instance migrate >"$$log" 2>&1 || { cat "$$log"; exit 1; }; rm -f "$$log"; \
	exec $(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port $(PORT)

test: $(DEV_STAMP)
	@$(BIN)/python -m pytest

test-long: $(DEV_STAMP)
	@$(BIN)/python -m pytest -m long

# One at a time: some measure, and some kill processes.
slow: $(DEV_STAMP)
	@$(BIN)/python -m pytest -m slow -n 0

# Needs those Pythons: make versions PYTHONS="python3.12 /path/to/python3.13"
versions: $(DEV_STAMP)
	@for python in $(PYTHONS); do tools/try_version.sh "$$python" || exit 1; done

faults: $(DEV_STAMP)
	@$(BIN)/python -m faults

bench:
	@$(MAKE) --no-print-directory -j2 $(DEV_STAMP) $(PEERS)/.installed
	@$(BIN)/python -m benchmarks --write

# What others would use instead, away from the project's own versions.
$(PEERS)/.installed: benchmarks/peers.txt
	@echo "Making the environment $(PEERS) with $(PYTHON), a minute or so"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install -qq --no-deps --require-hashes -r benchmarks/peers.txt
	@touch $@

audit: $(AUDIT)/.installed
	@$(AUDIT)/bin/python tools/audit.py constraints.txt constraints-dev.txt benchmarks/peers.txt

$(AUDIT)/.installed: tools/audit.txt
	@echo "Making the environment $(AUDIT) with $(PYTHON), half a minute or so"
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install -qq --no-deps --require-hashes -r tools/audit.txt
	@touch $@

lint: $(DEV_STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(RUN_STAMP)
	@$(BIN)/python -m order_assets.export.pages docs/

# Needs no network but for its own installation.
datacontract: $(CONTRACT_TOOL)/.installed $(RUN_STAMP)
	@$(BIN)/order-assets export odcs --to $(CONTRACT_TOOL)/order_assets.odcs.yaml
	@$(CONTRACT_TOOL)/bin/python tools/check_datacontract.py $(CONTRACT_TOOL)/order_assets.odcs.yaml "$${ORDER_ASSETS_DATA:-data}"

# An environment of its own, because the tool's versions clash with the project's.
$(CONTRACT_TOOL)/.installed: tools/datacontract.txt
	@echo "Making the environment $(CONTRACT_TOOL) with $(PYTHON), a minute or so"
	@$(PYTHON) -m venv $(CONTRACT_TOOL)
	@$(CONTRACT_TOOL)/bin/python -m pip install -qq --no-deps -r tools/datacontract.txt
	@touch $@

constraints: $(DEV_STAMP)
	@$(call compile,constraints.txt)
	@$(call compile,constraints-dev.txt,--extra dev)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make constraints" benchmarks/peers.in --output-file benchmarks/peers.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make constraints" --no-annotate tools/audit.in --output-file tools/audit.txt

clean:
	rm -rf $(VENV) $(CONTRACT_TOOL) $(PEERS) $(AUDIT) benchmarks/results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find order_assets order_assets_tests -name __pycache__ -prune -exec rm -rf {} +

$(RUN_STAMP): constraints.txt pyproject.toml | $(BIN)/python
	@$(call install,constraints.txt)
	@touch $@

# The tests' versions hold the others too, so there is nothing left to install for the demo.
$(DEV_STAMP): constraints-dev.txt pyproject.toml | $(BIN)/python
	@$(call install,constraints-dev.txt)
	@touch $@ $(RUN_STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11 to 3.13 is needed; name one with: make PYTHON=/path/to/python ..." >&2; exit 1; }
	@echo "Making the environment $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# Exact versions with hashes first, then the project beside them: pip cannot check a folder against a hash.
# The file names everything that is needed, so nothing has to be resolved (pip 23 would trip over extras there).
define install
echo "Installing the versions of $(1), a minute or so" && \
$(BIN)/python -m pip install -qq --no-deps --require-hashes -r $(1) && \
$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
endef

define compile
$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
	--custom-compile-command "make constraints" --group build $(2) pyproject.toml --output-file $(1)
endef
