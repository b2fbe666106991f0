# crmlab: `make` lists what can be made. Each goal brings its own environment.
.DEFAULT_GOAL := help
.PHONY: help report test lab bench docs notebooks lock lint spark clean
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
TESTS ?= tests notebooks
KERNEL = 'c.InteractiveShellApp.extensions = ["autoreload", "crmlab"]' 'c.InteractiveShellApp.exec_lines = ["%autoreload 2"]'

help: ## list the goals
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: .venv/ready ## run every report of notebooks/suite.toml
	@$(BIN)/crmlab run --suite notebooks/suite.toml

test: .venv/ready ## run the whole test suite
	@$(BIN)/python -m pytest --nbval -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lab: .venv/ready ## open JupyterLab on the notebooks; ARGS="--port 9999" are its own options
	@IPYTHONDIR=$(abspath .venv/ipython) $(BIN)/jupyter lab --ServerApp.root_dir=$(CURDIR) --LabApp.default_url=/lab/tree/notebooks \
		$(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

diffs: .venv/ready ## let git, in this clone, show and merge notebooks cell by cell
	@git config diff.jupyternotebook.command "$(abspath $(BIN))/git-nbdiffdriver diff"
	@git config merge.jupyternotebook.driver "$(abspath $(BIN))/git-nbmergedriver merge %O %A %B %L %P"

notebooks: .venv/ready ## execute the committed notebooks anew, with their defaults
	@$(BIN)/jupyter nbconvert --to notebook --inplace --execute --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

bench: .venv/ready ## measure what the project claims to cost; QUICK=1 ends within a minute, PART=clv takes one part
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench $(PART)

docs: .venv/ready ## build the documentation into build/docs
	@rm -rf build/api
	@OMP_NUM_THREADS=1 $(BIN)/python -m sphinx --quiet --nitpicky --fail-on-warning --keep-going -c docs -d build/doctrees . build/docs
	@echo "build/docs/index.html"

lint: .venv/ready ## check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

lock: .venv/ready ## pin every package anew, with hashes
	$(LOCK) --upgrade --extra lab --extra demo --extra docs --extra test -o requirements.lock pyproject.toml
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['spark'])" \
		| $(LOCK) --upgrade -c requirements.lock -o requirements-spark.lock -

spark: .venv/ready ## add Spark, 0.5 GB, for the tests of parity
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements-spark.lock

clean: ## remove the environment; reports and data stay
	rm -rf .venv

.venv/ready: requirements.lock pyproject.toml Makefile
	@echo "Setting up .venv; once, about two minutes and 1.4 GB"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crmlab needs Python 3.11 or newer")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(INSTALL) --compile-bytecode --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q crmlab
	@mkdir -p .venv/ipython/profile_default && printf '%s\n' $(KERNEL) > .venv/ipython/profile_default/ipython_kernel_config.py
	@touch $@
