# Every target sets up what it needs in .venv, from the versions pinned in constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo story test test-backends lint docs bench bench-packages bench-quality clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/installed: pyproject.toml $(CONSTRAINTS)
	@echo "Setting up $(VENV): two to five minutes, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --upgrade "pip>=25.1"  # the first that knows --group
	@# The build of torch for processors, where its index can be reached: the usual one of Linux
	@# brings gigabytes for graphics cards. Elsewhere what the package index has will do.
	@$(PIP) install --quiet --retries 0 --timeout 5 --constraint $(CONSTRAINTS) \
	  --index-url https://download.pytorch.org/whl/cpu torch >/dev/null 2>&1 || true
	@$(PIP) install --quiet --constraint $(CONSTRAINTS) --editable ".[torch]" --group dev --group docs
	@touch $@

demo: $(VENV)/installed  ## Draw demo/chairs, train one to three minutes, score, show where the report lies
	$(BIN)/fewmask train demo/chairs --model unet --size 192 --epochs 48

story: $(VENV)/installed  ## Run the tutorial of 2017 whole; it says how long, can be stopped and started again
	$(BIN)/python examples/chairs_2017.py

test: $(VENV)/installed servers  ## Pass every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST_OPTIONS)

# In Chromium the report is tested; nginx and sshd serve datasets to the tests of installing them.
.PHONY: servers
servers:
	@PATH="$$PATH:/usr/sbin:/sbin"; missing=""; \
	command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="chromium"; \
	command -v nginx >/dev/null 2>&1 || missing="$$missing nginx-light"; \
	command -v sshd >/dev/null 2>&1 || missing="$$missing openssh-server"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing for the tests:" $$missing; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $$missing >/dev/null; \
	else \
	  echo "Some tests will be skipped. To run them: sudo apt-get install" $$missing; \
	fi

# What depends on the backend. Training is compared step by step on torch alone; here it only
# has to run: networks, losses, saving, export, two steps of training, to_keras.
BACKEND_TESTS := tests/models tests/data/loaders/test_keras.py tests/training/test_optimizer.py \
  tests/training/test_fit.py
.venv-%/backend: pyproject.toml $(CONSTRAINTS) constraints-backends.txt
	@echo "Setting up .venv-$*: some minutes, once."
	@test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	@# What only these need comes on top; for h5py TensorFlow sets a limit of its own.
	@grep -v '^h5py==' $(CONSTRAINTS) | cat - constraints-backends.txt > .venv-$*/constraints.txt
	@.venv-$*/bin/python -m pip --disable-pip-version-check install --quiet \
	  --constraint .venv-$*/constraints.txt --editable ".[$*]" hypothesis pytest
	@touch $@

test-backends: .venv-jax/backend .venv-tensorflow/backend  ## Run networks, losses, saving and a short training on JAX and TensorFlow
	@for backend in jax tensorflow; do \
	  echo "== $$backend"; \
	  KERAS_BACKEND=$$backend .venv-$$backend/bin/python -m pytest -q -m "not slow" $(BACKEND_TESTS) || exit 1; \
	done

lint: $(VENV)/installed  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed  ## Build the site into site/, warnings fatal
	$(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"

PEER := .venv-albumentations
$(PEER)/installed: pyproject.toml $(CONSTRAINTS)
	@test -x $(PEER)/bin/python || $(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip --disable-pip-version-check install --quiet \
	  --constraint $(CONSTRAINTS) albumentations==2.0.8 --editable .
	@touch $@

bench: $(VENV)/installed $(PEER)/installed  ## Measure speed and memory against peers, as ratios
	$(BIN)/python benchmarks/training_loop.py
	$(BIN)/python benchmarks/work_per_second.py
	$(BIN)/python benchmarks/loaders.py
	$(BIN)/python benchmarks/cold_predict.py
	$(BIN)/python benchmarks/onnx_core.py
	$(BIN)/python benchmarks/demo_memory.py
	$(PEER)/bin/python benchmarks/augmentation.py

# Tools that fewmask is compared with, each in an environment of its own with what its file lists.
# Of torch, again, the build for processors where its index can be reached.
.venv-%/tool: benchmarks/peers/%.txt
	@echo "Setting up .venv-$*: some minutes, once."
	@test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	@torch=$$(grep '^torch' $<); test -z "$$torch" || .venv-$*/bin/python -m pip \
	  --disable-pip-version-check install --quiet --retries 0 --timeout 5 \
	  --index-url https://download.pytorch.org/whl/cpu $$torch >/dev/null 2>&1 || true
	@.venv-$*/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

DATA ?= ../shared/data
BLOCKS ?= first
# What the first block does not need is brought for the others.
TOOLS := smp forest $(if $(filter-out first,$(BLOCKS)),medicai nnunet)
bench-quality: $(VENV)/installed $(TOOLS:%=.venv-%/tool)  ## Measure the mean Dice of tools in the same minutes: DATA=, BLOCKS=
	$(BIN)/python benchmarks/quality.py $(BLOCKS) --data $(DATA)

DVC := .venv-dvc
$(DVC)/installed:
	@test -x $(DVC)/bin/python || $(PYTHON) -m venv $(DVC)
	@$(DVC)/bin/python -m pip --disable-pip-version-check install --quiet dvc==3.67.1
	@touch $@

# Apart from the others, as it needs a dataset that is not part of fewmask.
FOLDER := dsb2018_nuclei
IMAGES := 10000
bench-packages: $(VENV)/installed $(DVC)/installed  ## FOLDER=… with images/ and masks/: measure datasets by name
	$(BIN)/python benchmarks/packages.py $(FOLDER) --images $(IMAGES) --dvc $(DVC)/bin/dvc

clean:  ## Remove what the targets made; runs stay
	rm -rf $(VENV) .venv-* site .mypy_cache .pytest_cache .ruff_cache .hypothesis
