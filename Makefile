PYTHON ?= python3
PORT ?= 3000
BIN := .venv/bin
INSTALLED := .venv/.installed
LOCAL := $(wildcard requirements-local.txt)
# Strict: a broken link is an error (unless --quiet hides it). The variable keeps an advertisement of the theme out of the terminal.
SITE = NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo ui test test-fast test-models test-view bench lint docs screenshots lock clean

# One instance for the demo and the UI, so that the UI shows the demo's run.
demo ui: export DAGSTER_HOME := $(CURDIR)/.dagster_home

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(INSTALLED) ## segment the demo image: labels, pictures and objects
	@case "$$DAGSTER_HOME" in *[]\?\*%[]*) \
	  echo "Dagster misreads ?, *, [ and % in the path $$DAGSTER_HOME, so nothing was done. Rename the folder." >&2; exit 1;; esac
	@$(BIN)/python -c 'from idr_assets.instance import open_instance; open_instance()'  # one command at a time makes it
	$(BIN)/dg launch --job segment_demo
	$(BIN)/dg launch --job measure_demo
	@printf '\nDone. Look at:\n'
	@data="$${IDR_ASSETS_DATA:-data}" && printf '  %-30s %s\n' \
	  "$$data/demo/montage.png" 'the planes with their labels' \
	  "$$data/demo/planes.html" 'the same with a slider, in a browser' \
	  "$$data/demo/object_counts.png" 'how many objects there are, and how large' \
	  "$$data/demo/objects/" 'a row for each object, in Parquet for pandas and others' \
	  "$$data/demo/published.ome.zarr" 'the same in few files, to share' \
	  "$$data/demo.ome.zarr" 'pixels and labels, for napari and other OME-Zarr tools' \
	  'make ui' 'the Dagster UI with these runs, and a gallery of all images'

ui: $(INSTALLED) ## the Dagster UI and daemon on http://127.0.0.1:3000 (another port: PORT=4000; beside another: ARGS=--without-daemon)
	@$(BIN)/idr-assets ui --port $(PORT) $(ARGS)

test: $(INSTALLED) ## run the tests (some of them: ARGS="-k montage")
	$(BIN)/pytest --numprocesses 4 $(ARGS)

test-fast: $(INSTALLED) ## run the tests that need no server, browser or other process: below 90 seconds
	$(BIN)/pytest --numprocesses 2 -m 'not processes' $(ARGS)

test-models: $(INSTALLED) ## run Cellpose and StarDist on random weights (downloads gigabytes, into .venv-models)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-models
	$(BIN)/uv pip install --quiet --python .venv-models/bin/python --editable '.[cellpose,stardist]' --group dev
	.venv-models/bin/pytest --numprocesses 0 idr_assets_tests/imaging/segmentation/models/test_library_models.py $(ARGS)

test-view: $(INSTALLED) ## check the layers that napari shows of the demo (downloads Qt, into .venv-view)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-view
	$(BIN)/uv pip install --quiet --python .venv-view/bin/python --editable '.[view]' --group dev
	.venv-view/bin/pytest --numprocesses 0 idr_assets_tests/test_view.py $(ARGS)

bench: $(INSTALLED) ## measure speed and memory, write docs/explanation/benchmarks.md (needs postgresql; small: ARGS="--planes 100")
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(INSTALLED) ## check style, formatting, types, which room imports which, and the links of the documentation
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SITE)

docs: $(INSTALLED) ## build the documentation as a site: open site/index.html
	$(SITE)

screenshots: $(INSTALLED) ## take the pictures of docs/how_to/ui.md again, from the demo in the real UI (needs chromium)
	$(BIN)/python docs/screenshots.py

lock: $(INSTALLED) ## renew requirements.txt from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.12 --upgrade \
	  --generate-hashes --no-header --no-annotate --quiet --output-file requirements.txt

clean: ## remove the virtual environment and caches; data and the Dagster instance stay
	rm -rf .venv .venv-models .venv-view .hypothesis .mypy_cache .pytest_cache .ruff_cache site

define CHECK_PYTHON
import sys
version = "%d.%d.%d" % sys.version_info[:3]
if sys.version_info < (3, 12):
    sys.exit("idr_assets needs Python 3.12 or newer; $(PYTHON) is %s (%s).\n"
             "Install one (pyenv install 3.13) or name one: make PYTHON=python3.13 $(MAKECMDGOALS)"
             % (version, sys.executable))
endef
export CHECK_PYTHON

$(BIN)/python:
	@$(PYTHON) -c "$$CHECK_PYTHON"
	$(PYTHON) -m venv --clear .venv

# uv installs the lock in a fraction of pip's time; pip installs uv itself, from the same lock.
# Packages of your own stand in a file of your own: all others that you installed are removed here.
$(INSTALLED): requirements.txt pyproject.toml $(LOCAL) | $(BIN)/python
	sed -n '/^uv==/,/[^\\]$$/p' requirements.txt | \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r /dev/stdin
	@echo "Installing packages: one to three minutes, once."
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	$(if $(LOCAL),$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement $(LOCAL))
	@touch $@
