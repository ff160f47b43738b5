# Two commands: `make demo` shows the product, `make test` proves it. Each does its own set-up on a bare machine.
# Needs Python 3.11 or later. Set PYTHON to choose one.

DEMO_SECONDS ?=
SHELL := /bin/sh
.PHONY: help demo test setup training real lint bench api screenshots clean

help:            ## this page
	@grep -E '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

demo:            ## the cloud, one patrol device and footage on this machine; DEMO_SECONDS=60 without a screen
	@python=$$(scripts/python.sh) && "$$python" scripts/setup.py run
	@.venv/bin/guardian demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS) --no-browser)

test:            ## the whole suite; says by name what is missing where a real program is not there
	@python=$$(scripts/python.sh) && "$$python" scripts/setup.py dev
	@scripts/test.sh

setup:           ## only prepare .venv and the console
	@python=$$(scripts/python.sh) && "$$python" scripts/setup.py dev

training:        ## PyTorch beside the other packages, for `guardian train` and its tests
	@python=$$(scripts/python.sh) && "$$python" scripts/setup.py train

real:            ## install the real programs that tests use (Debian, as root)
	@scripts/real.sh

lint:            ## import contracts, types, style
	@scripts/lint.sh

bench:           ## the figures of docs/figures.md
	@.venv/bin/python -m bench

api:             ## write the OpenAPI document and the console's client anew
	@scripts/api.sh

screenshots:     ## every screen in both themes and three sizes into docs/screenshots
	@.venv/bin/python scripts/screenshots.py

clean:           ## remove what set-up and runs made
	rm -rf .venv .tools .make var out console/dist console/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
