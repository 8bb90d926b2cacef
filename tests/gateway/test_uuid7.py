import uuid
from itertools import pairwise

from gateway.uuid7 import Uuid7s


def test_ids_are_uuids_of_version_7_that_rise() -> None:
    maker = Uuid7s()
    ids = [maker.new() for _ in range(20_000)]
    assert all(one < other for one, other in pairwise(ids))
    for text in ids[::1000]:
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert str(parsed) == text


def test_ids_rise_while_the_clock_stands_still_or_goes_back() -> None:
    times = iter([5_000_000_000] * 6_000 + [3_000_000_000] * 6_000)
    maker = Uuid7s(lambda: next(times))
    ids = [maker.new() for _ in range(12_000)]
    assert all(one < other for one, other in pairwise(ids))
    assert {uuid.UUID(text).version for text in ids} == {7}
