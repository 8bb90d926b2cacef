"""Write a MaxMind DB file, version 2.0 of the format, from address ranges.

Written for size: equal subtrees are stored once, which the format allows and every reader follows,
and so are equal records, strings and keys. The same ranges always give the same bytes.
"""
# ruff: noqa: INP001  a script beside the data it makes, not a package

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from struct import pack

Scalar = str | int
Record = Mapping[str, Scalar]
Range = tuple[int, int, Record]  # first and last address, and what is said of them

_MARKER = b"\xab\xcd\xefMaxMind.com"
_GAP = 16  # zero bytes between the tree and the data
_RECORD_BITS = 24
_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_NOTHING_SAID = 0  # the number of the record that is not there
_NO_LONGER_THAN_A_POINTER = 3


class DatabaseTooLargeError(Exception):
    """The tree and its data do not fit into 24-bit records."""


def database(
    ipv4: Iterable[Range],
    ipv6: Iterable[Range],
    *,
    database_type: str,
    description: str,
    build_epoch: int,
) -> bytes:
    """Encode sorted ranges that do not overlap. IPv4 sits at ::/96, where readers look for it."""
    data = _Data()
    tree = _Tree()
    root4 = tree.grow(_Partition(ipv4, data), 32)
    root = tree.graft(tree.grow(_Partition(ipv6, data), 128), 128, root4)
    body = data.body()
    nodes = tree.encoded(root, data.offsets, len(body))
    metadata = _map(
        {
            "binary_format_major_version": _unsigned(_UINT16, 2),
            "binary_format_minor_version": _unsigned(_UINT16, 0),
            "build_epoch": _unsigned(_UINT64, build_epoch),
            "database_type": _string(database_type),
            "description": _map({"en": _string(description)}),
            "ip_version": _unsigned(_UINT16, 6),
            "languages": _control(_ARRAY, 1) + _string("en"),
            "node_count": _unsigned(_UINT32, len(nodes) * 8 // (2 * _RECORD_BITS)),
            "record_size": _unsigned(_UINT16, _RECORD_BITS),
        }
    )
    return b"".join([nodes, bytes(_GAP), body, _MARKER, metadata])


class _Data:
    """The data section. Records go by number, from 1."""

    def __init__(self) -> None:
        self.offsets = [-1]  # by record number
        self._chunks: list[bytes] = []
        self._length = 0
        self._numbers: dict[tuple[tuple[str, Scalar], ...], int] = {}
        self._scalars: dict[Scalar, int] = {}

    def number(self, record: Record) -> int:
        key = tuple(record.items())
        if key not in self._numbers:
            fields = b"".join(self._scalar(name) + self._scalar(value) for name, value in key)
            self._numbers[key] = len(self.offsets)
            self.offsets.append(self._append(_control(_MAP, len(key)) + fields))
        return self._numbers[key]

    def body(self) -> bytes:
        return b"".join(self._chunks)

    def _scalar(self, value: Scalar) -> bytes:
        encoded = _string(value) if isinstance(value, str) else _unsigned(_UINT32, value)
        if len(encoded) <= _NO_LONGER_THAN_A_POINTER:
            return encoded
        if value not in self._scalars:
            self._scalars[value] = self._append(encoded)
        return _pointer(self._scalars[value])

    def _append(self, chunk: bytes) -> int:
        offset = self._length
        self._chunks.append(chunk)
        self._length += len(chunk)
        return offset


class _Partition:
    """The whole address space as neighbouring ranges, each with its record's number."""

    def __init__(self, ranges: Iterable[Range], data: _Data) -> None:
        self.starts = [0]
        self.numbers = [_NOTHING_SAID]
        for first, last, record in ranges:
            if self.starts[-1] > first:
                raise ValueError(f"the range from {first} is out of order or overlaps")
            self._add(first, data.number(record))
            self._add(last + 1, _NOTHING_SAID)

    def _add(self, start: int, number: int) -> None:
        if self.starts[-1] == start:
            self.starts.pop()
            self.numbers.pop()
        if not self.numbers or self.numbers[-1] != number:
            self.starts.append(start)
            self.numbers.append(number)


class _Tree:
    """A binary tree whose equal subtrees are one. A child is a node, or a record's complement."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int]] = []
        self._known: dict[tuple[int, int], int] = {}

    def grow(self, partition: _Partition, width: int) -> int:
        """Grow a tree over a whole address space of so many bits."""

        def branch(start: int, bits: int, first: int, last: int) -> int:
            if first == last:
                return ~partition.numbers[first]
            middle = start + (1 << bits - 1)
            # The first range that begins at the middle or behind it.
            right = bisect_left(partition.starts, middle, first, last + 1)
            from_middle = right <= last and partition.starts[right] == middle
            return self._node(
                branch(start, bits - 1, first, right - 1),
                branch(middle, bits - 1, right if from_middle else right - 1, last),
            )

        # What begins behind the last address is the end of a range that reaches it.
        return branch(0, width, 0, bisect_left(partition.starts, 1 << width) - 1)

    def graft(self, child: int, bits: int, scion: int) -> int:
        """Put a 32-bit tree at the far left of a wider one."""
        if bits == 32:  # noqa: PLR2004 the width of IPv4
            return scion
        left, right = self._nodes[child] if child >= 0 else (child, child)
        return self._node(self.graft(left, bits - 1, scion), right)

    def encoded(self, root: int, offsets: Sequence[int], data_length: int) -> bytes:
        order = self._reachable(root)
        if len(order) + _GAP + data_length >= 1 << _RECORD_BITS:
            raise DatabaseTooLargeError(f"{len(order)} nodes and {data_length} bytes of data")
        index = {node: i for i, node in enumerate(order)}

        def record(child: int) -> bytes:
            if child >= 0:
                value = index[child]
            elif child == ~_NOTHING_SAID:
                value = len(order)
            else:
                value = len(order) + _GAP + offsets[~child]
            return value.to_bytes(_RECORD_BITS // 8)

        return b"".join(record(child) for node in order for child in self._nodes[node])

    def _node(self, left: int, right: int) -> int:
        if left == right and left < 0:
            return left
        key = (left, right)
        if key not in self._known:
            self._known[key] = len(self._nodes)
            self._nodes.append(key)
        return self._known[key]

    def _reachable(self, root: int) -> list[int]:
        """List the nodes depth first, so that a look-up's path lies close together."""
        order: dict[int, None] = {}
        stack = [root if root >= 0 else self._forced(root)]
        while stack:
            node = stack.pop()
            if node not in order:
                order[node] = None
                stack += [child for child in reversed(self._nodes[node]) if child >= 0]
        return list(order)

    def _forced(self, leaf: int) -> int:
        """Make a node even where both sides say the same: a tree needs a root."""
        self._nodes.append((leaf, leaf))
        return len(self._nodes) - 1


def _control(kind: int, size: int) -> bytes:
    """Encode a type and a size, the longest of which is a description's."""
    if size < 29:  # noqa: PLR2004 these are the format's own steps
        low, extra = size, b""
    elif size < 285:  # noqa: PLR2004
        low, extra = 29, pack(">B", size - 29)
    elif size < 65_821:  # noqa: PLR2004
        low, extra = 30, pack(">H", size - 285)
    else:
        raise DatabaseTooLargeError(f"a value of {size} bytes")
    # Types beyond seven are "extended": zero, and the rest in a byte of its own.
    head = pack(">B", kind << 5 | low) if kind <= _MAP else pack(">BB", low, kind - 7)
    return head + extra


def _pointer(offset: int) -> bytes:
    if offset < 2_048:  # noqa: PLR2004 these, too, are the format's own steps
        return pack(">H", 0x2000 | offset)
    if offset < 526_336:  # noqa: PLR2004
        return (0x280000 | offset - 2_048).to_bytes(3)
    return (0x30000000 | offset - 526_336).to_bytes(4)


def _string(text: str) -> bytes:
    encoded = text.encode()
    return _control(_STRING, len(encoded)) + encoded


def _unsigned(kind: int, value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return _control(kind, size) + value.to_bytes(size)


def _map(fields: Mapping[str, bytes]) -> bytes:
    return _control(_MAP, len(fields)) + b"".join(_string(k) + v for k, v in fields.items())
