# Needs python3 (3.11 or newer) with venv and headers, a C compiler and make; the tests also need bash.  Everything else goes into .venv.

PYTHON ?= python3
CAPTURE ?= tests/captures/mss88.pcap
TESTS ?=
ARGS ?=
SECONDS ?= 60
# A part of the suite runs in one process, so that -s and --pdb work; TESTS="tests/input -n 2" splits it all the same.
PROCESSES ?= $(if $(TESTS),0,auto)
REVISION ?= HEAD
CLANG ?= $(firstword $(foreach name,clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14,$(shell command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
CORE := $(wildcard $(addprefix src/pptpcap/,_arrow/*.pyx _input/*.pyx export/*.pyx core/*.p[yx][xd] core/*/*.p[yx][xd]))
# Compiled modules that Python imports, each with a stub.
STUBBED := $(subst /,.,$(patsubst src/%.pyi,%,$(wildcard $(addprefix src/pptpcap/,_arrow/*.pyi _input/*.pyi export/*.pyi core/*.pyi core/*/*.pyi))))
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo man test quick without-pyarrow check bench compare debug fuzz fuzz-numbered guided-build bare-build fuzz-guided fuzz-bare corpus growth peaks generate clean
.DELETE_ON_ERROR:

help:
	@echo 'make setup     make $(VENV) and build the compiled engine in place'
	@echo 'make demo      show the calls of a bundled real capture, and write a page and tables of it (CAPTURE=file for another)'
	@echo 'make test      run the whole test suite on all cores (TESTS="tests/command/test_cli.py -x" for a part, on one)'
	@echo 'make quick     the part of it without the tests that are marked slow'
	@echo 'make without-pyarrow  pandas, Polars, DuckDB and the files of convert where pyarrow is not installed'
	@echo 'make check     linters, formatter, types, generated files, tests of the benchmarks, a build where warnings are errors'
	@echo 'make bench     the engine against the floor, its twin and other tools, and which goals are met'
	@echo 'make compare   an older revision against what is here (REVISION=HEAD)'
	@echo 'make debug     run the test suite on a build with sanitizers (gcc)'
	@echo 'make fuzz      try damaged captures on both engines for SECONDS=60; guided by coverage too where clang is there'
	@echo 'make corpus    keep what make fuzz found: the fewest inputs that reach as much (clang)'
	@echo 'make growth    time per packet for n, 2n and 4n hostile packets'
	@echo 'make peaks     peak memory of every command on millions of tunnels, calls and connections'
	@echo 'make generate  write the generated files anew'
	@echo 'make man       write the manual pages in docs/man anew, from the help of the commands'
	@echo 'make clean     remove what was built, and $(VENV)'
	@echo 'PYTHON=python3.12 selects the Python that $(VENV) is made with'

setup: $(VENV)/built

# A stamp that is newer than what it is made from spares the next make the work.
$(VENV)/ready: pyproject.toml tools/requirements.py
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("pptpcap needs Python 3.11 or newer, try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python tools/requirements.py build project test > $(VENV)/requirements.txt
	$(PIP) -r $(VENV)/requirements.txt
	@touch $@

$(VENV)/built: $(VENV)/ready setup.py $(CORE)
	$(if $(filter $(VENV)/ready,$?),$(PIP) --no-build-isolation --no-deps --editable .,$(BIN)/python setup.py --quiet build_ext --inplace)
	@touch $@

$(VENV)/checkers: $(VENV)/ready
	$(BIN)/python tools/requirements.py dev > $(VENV)/requirements-dev.txt
	$(PIP) -r $(VENV)/requirements-dev.txt
	@touch $@

demo: setup
	@mkdir -p build/demo
	@printf '\n$$ pptpcap calls %s\n' $(CAPTURE)
	@$(BIN)/pptpcap calls $(CAPTURE)
	@printf '\n$$ pptpcap trace %s\n' $(CAPTURE)
	@$(BIN)/pptpcap trace $(CAPTURE)
	@printf '\n$$ pptpcap report --overwrite -o build/demo/report.html %s\n' $(CAPTURE)
	@$(BIN)/pptpcap report --overwrite -o build/demo/report.html $(CAPTURE)
	@printf '\n$$ pptpcap convert --overwrite -o build/demo/tables %s\n' $(CAPTURE)
	@$(BIN)/pptpcap convert --overwrite -o build/demo/tables $(CAPTURE)
	@printf '\n$$ python examples/arrays.py %s\n' $(CAPTURE)
	@$(BIN)/python examples/arrays.py $(CAPTURE)
	@printf '\nA page for a browser: build/demo/report.html\nParquet files of all tables: build/demo/tables\n'

# As many processes as there are cores; each needs memory for all libraries, so not on every core of a large machine.
SPLIT := -n $(PROCESSES) --maxprocesses 8 --dist worksteal

test: setup
	$(BIN)/python -m pytest $(SPLIT) $(TESTS)

quick: setup
	$(BIN)/python -m pytest $(SPLIT) -m "not slow" $(TESTS)

# In an environment of its own.  Tests that ask pyarrow skip and say so; the law of the split and the twins ask no library, and of the
# tests that go through all captures of the lab those of one are enough.
without-pyarrow: setup
	$(BIN)/python tools/without.py pyarrow build/without-pyarrow
	PPTPCAP_WITHOUT_PYARROW=1 build/without-pyarrow/bin/python -m pytest -k "not split and not reference and not matrix and not each_value or multi8" \
		tests/frames tests/export/test_convert_libraries.py

# pytest calls test functions and fixtures, and gives them their arguments by name: who reads them needs no types there.
# Their bodies are checked all the same.  benchmarks/ has a module test_calls too, so one run cannot read both.
TESTS_MAY := --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls

check: setup $(VENV)/checkers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint $(CORE) $(wildcard tests/fuzz/*.p[yx][xd])
	$(BIN)/mypy
	$(BIN)/mypy $(TESTS_MAY) --cache-dir .mypy_cache/tests tests
	$(BIN)/python -m mypy.stubtest --allowlist tools/stubtest.txt $(STUBBED)
	$(BIN)/python tools/lint.py
	$(BIN)/python tools/prose.py
	$(BIN)/python -m pytest benchmarks --benchmark-disable --quiet
	for tool in tools/generate_*.py; do test ! -e $$tool || $(BIN)/python $$tool --check || exit 1; done
	PPTPCAP_STRICT=1 $(BIN)/python setup.py --quiet build_ext --build-lib build/strict --build-temp build/strict-temp

# What cannot be installed is named in the run's remarks; all else is measured.
bench: setup
	@$(MAKE) --no-print-directory $(VENV)/peers || echo 'bench: dpkt, scapy and matplotlib cannot be installed here'
	$(BIN)/python benchmarks/run.py $(ARGS)

$(VENV)/peers: $(VENV)/ready
	$(BIN)/python tools/requirements.py bench > $(VENV)/requirements-bench.txt
	$(PIP) -r $(VENV)/requirements-bench.txt
	@touch $@

compare: setup
	$(BIN)/python benchmarks/compare.py $(REVISION) $(ARGS)

debug: setup
	PPTPCAP_DEBUG=1 $(BIN)/python setup.py --quiet build --build-lib build/debug --build-temp build/debug-temp
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so):$$(gcc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
	ASAN_OPTIONS=detect_leaks=0:strict_string_checks=1:allocator_may_return_null=1:handle_sigbus=0 \
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	PYTHONPATH=build/debug $(BIN)/python -m pytest $(TESTS)

# Without clang or atheris the rest is tried all the same, and what was not tried is told.
fuzz: fuzz-numbered
	@if test -z '$(CLANG)'; then echo 'fuzz: no clang here, so nothing was guided by coverage'; \
	elif ! $(MAKE) --no-print-directory fuzz-bare; then exit 1; \
	elif ! $(MAKE) --no-print-directory $(VENV)/fuzzer; then echo 'fuzz: no atheris here, so nothing was guided with Python'; \
	else $(MAKE) --no-print-directory fuzz-guided; fi

fuzz-numbered: setup
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS)

$(VENV)/fuzzer: $(VENV)/ready
	$(BIN)/python tools/requirements.py fuzz > $(VENV)/requirements-fuzz.txt
	$(PIP) -r $(VENV)/requirements-fuzz.txt
	@touch $@

guided-build: setup
	CC=$(CLANG) LDSHARED="$(CLANG) -shared" PPTPCAP_FUZZ=1 $(BIN)/python setup.py --quiet build --build-lib build/guided --build-temp build/guided-temp

fuzz-guided: guided-build $(VENV)/fuzzer
	for target in containers frames tunnelled calls; do \
		mkdir -p build/fuzz build/corpus/$$target && $(BIN)/python tests/fuzz/guided.py --seed $$target build/corpus/$$target && \
		$(BIN)/python tests/fuzz/corpus.py unpack $$target build/corpus/$$target && \
		LD_PRELOAD="$$($(BIN)/python -c 'import atheris; print(atheris.path())')/asan_with_fuzzer.so" \
		ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONPATH=build/guided \
		$(BIN)/python tests/fuzz/guided.py $$target build/corpus/$$target -max_len=4096 -timeout=5 -malloc_limit_mb=64 \
			-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=build/fuzz/$$target- -max_total_time=$(SECONDS) || exit 1; \
	done

# The core without the interpreter: what the build above translated, linked to one program for each kind of check.
bare-build: guided-build
	$(BIN)/python tests/fuzz/bare.py $(CLANG) build/cython-debug/src/pptpcap/core build/bare build/corpus/bare

fuzz-bare: bare-build
	mkdir -p build/fuzz
	$(BIN)/python tests/fuzz/corpus.py unpack bare build/corpus/bare
	for program in address memory starved; do \
		ASAN_OPTIONS=quarantine_size_mb=16 build/bare/$$program build/corpus/bare -max_len=4096 -timeout=5 -use_value_profile=1 \
			-malloc_limit_mb=64 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=build/fuzz/$$program- -max_total_time=$(SECONDS) || exit 1; \
	done

corpus: bare-build
	ASAN_OPTIONS=quarantine_size_mb=16 $(BIN)/python tests/fuzz/corpus.py gather build/bare/address build/corpus

growth: setup
	$(BIN)/python tests/fuzz/growth.py $(ARGS)

peaks: setup
	$(BIN)/python tests/fuzz/peaks.py $(ARGS)

# The core may not compile before this has run.
generate: $(VENV)/ready
	for tool in tools/generate_*.py; do PYTHONPATH=src $(BIN)/python $$tool || exit 1; done

man: setup
	$(BIN)/python tools/man.py

clean:
	rm -rf build $(VENV) src/*.egg-info $(wildcard $(addprefix src/pptpcap/,_arrow/*.so _input/*.so export/*.so core/*.so core/*/*.so))
