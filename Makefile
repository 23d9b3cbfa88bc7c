# `make demo` and `make test` are all that a fresh machine needs; each builds .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test faults mutants lint screenshots clients sizes bench clean

.venv/.ready: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("mailer needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "Building .venv from constraints.txt ..."
	@$(PYTHON) -m venv --clear .venv
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Sends the sample morning edition to 200 sample readers, into outbox/.
demo: .venv/.ready
	@test -e .env || (umask 077; $(BIN)/python -c 'import secrets; print("MAILER_SECRET_KEY=" + secrets.token_urlsafe(32))' > .env)
	@echo "$$ mailer subscribers import samples/readers.csv"
	@$(BIN)/mailer subscribers import samples/readers.csv
	@echo "$$ mailer send issues/2026-11-21-morning.yaml --yes"
	@$(BIN)/mailer send issues/2026-11-21-morning.yaml --yes
	@$(BIN)/mailer render issues/2026-11-21-morning.yaml -o build/look >/dev/null
	@echo
	@echo "Open these:"
	@echo "  build/look/email.html                     the edition, with its pictures, in a browser"
	@echo "  outbox/                                   one message a reader, as .eml files for any mail program"
	@echo "  campaigns/2026-11-21-morning/             what was sent, and the hashes that prove it"

test: .venv/.ready
	$(BIN)/python -m pytest --numprocesses=auto --cov --cov-report=term

# A thousand kills of real commands over both transports, with other commands beside them, and readers who
# leave real runs; the last lines say what was counted.
faults: .venv/.ready
	MAILER_TEST_KILLS=1000 $(BIN)/python -m pytest --numprocesses=auto --quiet tests/faults/kills

# Changes one thing at a time in the modules of tools/mutants/targets.toml; their tests must notice. Takes up to an
# hour on two cores. Whatever survives is explained in tools/mutants/survivors.toml.
mutants: .venv/.ready
	PYTHONHASHSEED=0 $(BIN)/python -m tools.mutants

lint: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Pictures of the three samples in Chromium: phone and desktop width, light and dark.
screenshots: .venv/.ready
	$(BIN)/python -m tools.screenshots
	$(BIN)/python -m tools.issue_pictures

# Every sample and fixture as a set of simulated mail clients, in build/clients/index.html; NAMES="bare wide" for some.
# With CANIEMAIL_JSON, the path of caniemail's data, Mailpit's HTML check is printed too. See docs/clients.md.
clients: .venv/.ready
	$(BIN)/python -m tools.clients $(NAMES)

# What the samples weigh: the HTML part, the text part, and the whole message as it is sent.
sizes: .venv/.ready
	$(BIN)/python -m tools.sizes

bench: .venv/.ready
	$(BIN)/python -m bench

clean:
	rm -rf .venv outbox .mailer subscribers.db subscribers.db-wal subscribers.db-shm build dist
