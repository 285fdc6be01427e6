# Interferon, Recomputed. `make book` and `make test` work alone on Python >= 3.11, make and git.
SHELL := /bin/bash
.DEFAULT_GOAL := book
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null)
# Sphinx prints the year of this time in the copyright line; the commit's own time keeps clean builds identical.
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 1767225600)
export JUPYTER_PLATFORM_DIRS := 1
export PYTHONHASHSEED := 0
# Small linear algebra only: a second thread waits more than it works, above all beside a second process.
export OPENBLAS_NUM_THREADS := 1

HTML := _build/html/index.html
SITE := _config.yml _toc.yml index.md $(wildcard chapters/*.* pages/* seeds/* data/*.* registry/* registry/editions/* lib/*.py lib/*/* lib/*/*/* packages/*/src/*/* packages/*/src/*/*/* _static/* _static/fonts/*) requirements.txt jupytext.toml CITATION.cff LICENSE LICENSE-text

.PHONY: book test test-long run chapter new sample edition print bench serve clean lock site

book: run $(HTML)
	@echo "The book: file://$(CURDIR)/$(HTML)"

site: $(HTML)

# An environment is a folder with a mark for each requirement set installed; a changed lock installs again.
install = $(if $(UV),$(UV) pip install --quiet --python $(PY),$(PY) -m pip install --quiet --disable-pip-version-check) --require-hashes -r

$(VENV)/.book: requirements.txt
	@echo "Setting up the book's environment in $(VENV) (about 10 s with uv, 60 s with pip) ..."
ifneq ($(UV),)
	@test -x $(PY) || $(UV) venv --quiet --python '>=3.11' $(VENV)
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv) or install uv, then run make again."; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
endif
	@$(install) requirements.txt
	@$(PY) -c 'import sysconfig, pathlib, lib; pathlib.Path(sysconfig.get_path("purelib"), "interferon_recomputed.pth").write_text("\n".join(lib.PATHS) + "\n")'
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.book
	@echo "Adding what the tests need (about 10 s) ..."
	@$(install) requirements-dev.txt
	@touch $@

$(VENV)/.models: requirements-models.txt $(VENV)/.book
	@echo "Adding the sampler (about 60 s) ..."
	@$(install) requirements-models.txt
	@touch $@

sample: $(VENV)/.models
	@test -n "$(NAME)" || { echo "say which: make sample NAME=mpn-stem-cells"; exit 2; }
	@$(PY) -m lib sample $(NAME)

run: $(VENV)/.book
	@$(PY) -m lib run

chapter: $(VENV)/.book
	@test -n "$(NAME)" || { echo "say which: make chapter NAME=cml-stopping"; exit 2; }
	@$(PY) -m lib run --force $(NAME)

new: $(VENV)/.book
	@test -n "$(NAME)" -a -n "$(PREFIX)" -a -n "$(TEXT)" || { echo "say which: make new NAME=bedtime-song PREFIX=SNG TEXT=pages/example/bedtime-song.txt"; exit 2; }
	@$(PY) -m lib new "$(NAME)" --prefix "$(PREFIX)" --text "$(TEXT)"

# Clean builds only: an incremental one is not repeatable. Built aside: the pages that stand stay until the new are whole.
$(HTML): $(SITE) | $(VENV)/.book
	@echo "Building the pages (about 10 s) ..."
	@rm -rf _build/next
	@mkdir -p _build/next
	@trap 'echo; echo "interrupted: the pages stay as they were"; exit 130' INT TERM; \
	$(VENV)/bin/jupyter-book build . --path-output _build/next -W -n --keep-going >_build/build.log 2>&1 || { sed 's/\x1b\[[0-9;]*m//g' _build/build.log | grep -E 'WARNING|ERROR|Error' | grep -vE '^ *raise |RuntimeError: *$$' | awk '!seen[$$0]++' | head -n 40; echo "The build failed, and the pages stay as they were; the whole log is _build/build.log"; exit 1; }
	@grep '^Not set in' _build/build.log || true
	@rm -rf _build/last
	@if test -e _build/html; then mv _build/html _build/last; fi
	@mv _build/next/_build/html _build/html
	@rm -rf _build/last _build/next

test: $(VENV)/.book $(VENV)/.dev
	@echo "Gate: pairs and stamps ..."
	@$(PY) -m lib gate
	@$(MAKE) --no-print-directory site
	@echo "Tests: units, records, every output of every chapter, the built site ..."
	@$(PY) -m pytest -q -m "not slow"

# What no single change needs and a week or an edition does: editions, spoiled books, wheels in environments of their own.
test-long: $(VENV)/.book $(VENV)/.dev
	@$(PY) -m pytest -q -m slow

# A handout of the short versions and an EPUB, beside the pages, which name them then.
print: $(VENV)/.book $(VENV)/.dev $(HTML)
	@$(PY) -m lib print

bench: $(VENV)/.book $(VENV)/.dev $(HTML)
	@for b in bench/bench_*.py; do echo "== $$b"; $(PY) $$b || exit 1; done

# Nothing is released before the last line, which may be reached at a second try: what stands before it can be done again.
edition: $(VENV)/.book $(VENV)/.dev
	@test -n "$(VERSION)" || { echo "say which: make edition VERSION=1.0"; exit 2; }
	@SOURCE_DATE_EPOCH=$$(date +%s) $(PY) -m lib edition $(VERSION)
	@$(MAKE) --no-print-directory test
	@rm -f $(HTML)
	@CITABLE_EDITION=$(VERSION) $(MAKE) --no-print-directory site print
	@$(PY) -m lib edition $(VERSION) --freeze

serve: book
	@echo "http://localhost:8000 (Ctrl-C ends it)"
	@$(PY) -m http.server --bind 127.0.0.1 --directory _build/html 8000

lock:
	@for s in "" -models -dev; do uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate --no-header --quiet $(LOCKFLAGS) requirements$$s.in -o requirements$$s.txt || exit 1; done
	@! grep -nE 'file:|--(extra-)?index-url|--find-links' requirements*.txt

clean:
	@rm -rf _build .pytest_cache
