"""The fuzzing targets on their seeds and on damaged ones, so that `make fuzz` finds them whole."""

import random
from collections.abc import Iterator

import pytest

from tests.fuzz.target import FIELD
from tests.fuzz.targets import TARGETS

DAMAGED = 15


def damaged(seeds: list[bytes]) -> Iterator[bytes]:
    chance = random.Random(4)
    for _ in range(DAMAGED):
        piece = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(piece) + 1)
            piece[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        yield bytes(piece)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds(name: str) -> None:
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    with target.open() as run:
        for data in (b"", FIELD * 4, b"\xff\x00\n", *seeds, *damaged(seeds)):
            run(data)
