"""One target under atheris until its time is over. Needs `make .venv/fuzz`."""

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway", "pipeline", "dashboard"]):
    from tests.fuzz.targets import TARGETS


def main(name: str, corpus: str, *flags: str) -> None:
    """Seed the corpus, and fuzz. Does not return: the engine ends the process."""
    target = TARGETS[name]
    for seed in target.seeds():
        digest = hashlib.sha256(seed).hexdigest()[:16]
        (Path(corpus) / f"seed-{digest}").write_bytes(seed)
    with target.open() as run:
        atheris.Setup([sys.argv[0], corpus, *flags], run)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
