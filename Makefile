# Two commands are all a stranger needs: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where the Procfile looks.
LAKE := data/lake

define WELCOME

  Dashboard   http://127.0.0.1:8501
  Gateway     http://127.0.0.1:8080     routes: data/routes.toml
  Health      http://127.0.0.1:8081/healthz
  API         http://127.0.0.1:8090     python -m dashboard token NAME makes a token

  Try, in another terminal, and watch it arrive on the dashboard:

    curl -sI -X GET http://127.0.0.1:8080/tool/1.2.3/tool-linux-amd64.tar.gz
    pip download --no-deps --dest /tmp --index-url http://127.0.0.1:8080/simple/ idna
    $(BIN)/python -m dashboard export --data $(LAKE) --format csv --from $(shell date -u +%F) --to $(shell date -u +%F) -o -

  Remove the demo data: $(BIN)/python -m pipeline purge --demo --data $(LAKE)
  Stop everything: Ctrl-C

endef
export WELCOME

.DEFAULT_GOAL := help
.PHONY: help run test test-again check format bench chaos soak fuzz screenshots ip-data test-deps lock clean

help: ## what this file can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run ## install, make demo data on the first run, start everything on loopback
	@# The lake's folder tells a first run from a later one: demo data that was purged stays purged.
	@test -d $(LAKE) || $(BIN)/python -m pipeline demo --data $(LAKE)
	@echo "$$WELCOME"
	@exec $(BIN)/honcho start

test: .venv/dev ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadfile

test-again: .venv/dev ## what failed last, once more and one at a time
	$(BIN)/pytest --last-failed --last-failed-no-failures none

check: .venv/dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev ## put the code into its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev ## the benchmarks, each a ratio inside one run
	@for bench in benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

# How long, and from which seed: make chaos MINUTES=60 SEED=7
MINUTES ?= 1
SEED ?= 1

chaos: .venv/dev ## kill every process at random under load: lost 0, doubled 0 (MINUTES=60 SEED=7)
	$(BIN)/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED)

soak: .venv/dev ## load held at 80 % of the ceiling: latency, memory, descriptors (MINUTES=30)
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

# How long each target: make fuzz SECONDS_EACH=20
SECONDS_EACH ?= 20

fuzz: .venv/fuzz ## atheris on every parser; what it finds on stays in build/fuzz (SECONDS_EACH=20)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS_EACH)

screenshots: .venv/dev ## pictures of every page of a running dashboard
	$(BIN)/python benchmarks/screenshots.py

ip-data: .venv/dev ## rebuild the shipped IP database from public data (needs npm)
	$(BIN)/python data/ip/build.py

# What only some tests need, as program:package where the names differ: a registry and container tools,
# a browser, a TLS front, and download clients of every ecosystem. What is there already stays as it is.
TEST_PROGRAMS := aria2c:aria2 buildah caddy cargo chromium composer ctr:containerd createrepo_c:createrepo-c \
	curl dnf docker-registry gem:ruby go:golang-go mvn:maven nix:nix-bin npm openssl php:php-cli \
	podman rpmbuild:rpm skopeo unzip wget
TEST_LIBRARIES := php-zip

test-deps: ## system programs that some tests need (Debian, as root)
	@missing="$$(for each in $(TEST_PROGRAMS); do \
		command -v $${each%%:*} >/dev/null || echo $${each##*:}; done)"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $(TEST_LIBRARIES) $$missing

lock: .venv/dev ## compile requirements*.txt from pyproject.toml
	$(BIN)/uv pip compile $(LOCK_FLAGS) -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK_FLAGS) -o requirements-dev.txt --extra dev -c requirements.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK_FLAGS) -o requirements-fuzz.txt --extra fuzz -c requirements.txt pyproject.toml

# Hashes pin what is installed; addresses stay out, so that any mirror serves.
LOCK_FLAGS := -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links

clean: ## remove what the tools left, but never data/lake
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build

.venv/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Footfall needs Python 3.11 or newer, and '$(PYTHON)' is older. Try: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run: requirements.txt | .venv/pip
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt | .venv/pip
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/run

# The fuzzing engine beside the rest: its requirements hold the same versions as the others.
.venv/fuzz: requirements-fuzz.txt | .venv/dev
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@
