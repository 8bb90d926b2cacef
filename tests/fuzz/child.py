"""One target under atheris until its time is over. Needs `make .venv/fuzz`."""

import hashlib
import re
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway", "pipeline", "dashboard"]):
    from tests.fuzz.targets import TARGETS


# Formats are made of words that no engine guesses.
_WORD = re.compile(rb"[$%]?[A-Za-z][\w.:-]{2,63}")


def main(name: str, corpus: str, *flags: str) -> None:
    """Seed the corpus, and fuzz. Does not return: the engine ends the process."""
    target = TARGETS[name]
    for seed in target.seeds():
        digest = hashlib.sha256(seed).hexdigest()[:16]
        (Path(corpus) / f"seed-{digest}").write_bytes(seed)
    words = {word for seed in target.seeds() for word in _WORD.findall(seed)}
    dictionary = Path(corpus).with_name("words")
    dictionary.write_bytes(b"".join(b'"%b"\n' % word for word in sorted(words)))
    flags = (f"-dict={dictionary}", *flags)
    with target.open() as run:
        atheris.Setup([sys.argv[0], corpus, *flags], run)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
