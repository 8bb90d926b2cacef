"""Thrift's compact protocol, as far as a Parquet footer uses it: structs, lists, numbers, bytes.

A struct is its fields in order, each with its type, so that what this module does not know the
meaning of is written again exactly as it was read.
"""

from typing import Any, Final

I32: Final = 5
I64: Final = 6
BINARY: Final = 8
LIST: Final = 9
STRUCT: Final = 12
_TRUE: Final = 1
_FALSE: Final = 2
_BYTE: Final = 3
_DOUBLE: Final = 7
_SET: Final = 10
_VARINTS: Final = frozenset({4, I32, I64})
_LONG_LIST: Final = 15  # a list's size of this or more stands in a number of its own

# Field id -> (type, value). A list's value is (element type, values).
Struct = dict[int, tuple[int, Any]]


class ThriftError(Exception):
    """Bytes that are no struct of this protocol."""


def decode(content: bytes) -> Struct:
    """Read one struct."""
    try:
        found, _ = _struct(content, 0)
    except IndexError:
        raise ThriftError("the struct ends too early") from None
    return found


def encode(struct: Struct) -> bytes:
    """Write one struct."""
    out = bytearray()
    _put_struct(out, struct)
    return bytes(out)


def _struct(content: bytes, at: int) -> tuple[Struct, int]:
    fields: Struct = {}
    last = 0
    while head := content[at]:
        at += 1
        kind = head & 15
        if step := head >> 4:
            last += step
        else:
            last, at = _signed(content, at)
        if kind in {_TRUE, _FALSE}:
            fields[last] = (kind, None)
        else:
            value, at = _value(content, at, kind)
            fields[last] = (kind, value)
    return fields, at + 1


def _value(content: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in _VARINTS:
        return _signed(content, at)
    if kind == BINARY:
        size, at = _varint(content, at)
        return content[at : at + size], at + size
    if kind == STRUCT:
        return _struct(content, at)
    if kind in {LIST, _SET}:
        return _list(content, at)
    if kind in {_TRUE, _FALSE, _BYTE}:
        return content[at], at + 1
    if kind == _DOUBLE:
        return content[at : at + 8], at + 8
    raise ThriftError(f"type {kind} has no place in a footer")


def _list(content: bytes, at: int) -> tuple[tuple[int, list[Any]], int]:
    head = content[at]
    at += 1
    size, kind = head >> 4, head & 15
    if size == _LONG_LIST:
        size, at = _varint(content, at)
    values = []
    for _ in range(size):
        value, at = _value(content, at, kind)
        values.append(value)
    return (kind, values), at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = content[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004 - the high bit says that more follows
            return result, at
        shift += 7


def _signed(content: bytes, at: int) -> tuple[int, int]:
    number, at = _varint(content, at)
    return (number >> 1) ^ -(number & 1), at


def _put_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, (kind, value) in sorted(struct.items()):
        step = number - last
        if 0 < step <= 15:  # noqa: PLR2004 - what fits in half a byte
            out.append(step << 4 | kind)
        else:
            out.append(kind)
            _put_signed(out, number)
        last = number
        if kind not in {_TRUE, _FALSE}:
            _put_value(out, kind, value)
    out.append(0)


def _put_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in _VARINTS:
        _put_signed(out, value)
    elif kind == BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _put_struct(out, value)
    elif kind in {LIST, _SET}:
        element, values = value
        short = min(len(values), _LONG_LIST)
        out.append(short << 4 | element)
        if short == _LONG_LIST:
            _put_varint(out, len(values))
        for each in values:
            _put_value(out, element, each)
    elif kind == _DOUBLE:
        out += value
    else:
        out.append(value)


def _put_varint(out: bytearray, number: int) -> None:
    while number > 127:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _put_signed(out: bytearray, number: int) -> None:
    _put_varint(out, number << 1 if number >= 0 else (-number << 1) - 1)
