# One environment for everything; `make` alone says what there is.
PYTHON ?= python3
BIN := .venv/bin
# Touched after a complete installation: a second call has nothing to do.
READY := .venv/.ready
# Threads that wait for each other within one small convolution are slow, and very slow beside other programs.
# Compiled modules are kept: hundreds of tests start processes, and each of them would compile the package again.
PYTEST := env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 $(BIN)/python -m pytest
# Two processes with a thread each; a third costs more than it saves on two cores. Tests of one file stay together, for
# they share what they trained; files come in the order of tests/conftest.py, the longest first.
PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: help venv demo man docs test test-slow test-gpu test-browser fuzz speed check

help:
	@echo "make venv       the environment with everything in .venv (PYTHON=$(PYTHON), 3.11 or newer)"
	@echo "make demo       blur a photo, restore it with the command line, write one picture of it"
	@echo "make man        the man page of all commands, build/unblur.1 (read it with: man -l build/unblur.1)"
	@echo "make docs       the documentation site, build/site; a broken link or reference is an error"
	@echo "make test       the default tests: offline, CPU, a few minutes"
	@echo "make test-slow  tests that take minutes each"
	@echo "make test-gpu   tests that need a CUDA device, and a table of times on it"
	@echo "make test-browser  the web page in Chromium (Debian: apt install chromium npm)"
	@echo "make fuzz       2,000 damaged versions of each kind of file (UNBLUR_FUZZ=100000: more of them): read or refused, never worse"
	@echo "make speed      limits on time: start-up, hostile files"
	@echo "make check      what CI runs: format, lint, types, site, changelog, tests"

venv: $(READY)

# pip learned --group in 25.1.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[app,bench,cluster,heif,onnx,raw,train]" --group dev
	touch $(READY)

demo: venv
	$(BIN)/python examples/demo.py

man: venv
	mkdir -p build
	$(BIN)/python -m unblur.cli.man_page > build/unblur.1

# Quiet about the theme's successor; the theme itself gets fixes until 2027.
docs: venv
	PYTHONPATH=src NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

test: venv
	$(PYTEST) $(PARALLEL)

test-slow: venv
	$(PYTEST) $(PARALLEL) -m slow

# Closes with a table of times, also where tests failed; without CUDA they are skipped and the table is the processor's.
test-gpu: venv
	status=0; $(PYTEST) -m gpu -rs || status=$$?; $(BIN)/python speed/devices.py || status=$$?; exit $$status

test-browser: venv
	$(PYTEST) -m browser -rs

fuzz: venv
	$(PYTEST) $(PARALLEL) -m fuzz

speed: venv
	$(BIN)/python speed/startup.py
	$(BIN)/python speed/hostile_files.py

# The tests last: their closing line is the last one of a run that passed.
check: venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(MAKE) docs
	$(PYTEST) $(PARALLEL)
