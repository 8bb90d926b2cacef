"""Requests of HTTP/2 made by hand, as no client's library would send them."""

import socket

ASKED = {
    b":method": b"GET",
    b":scheme": b"http",
    b":authority": b"get.acme.example",
    b":path": b"/tool/asked/x",
}

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _GOAWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_STREAM = 1


def exchange(connection: socket.socket, headers: dict[bytes, bytes], body: bytes) -> bool:
    """Send a request on a new connection; say whether it was answered, and not reset."""
    block = b"".join(_field(name, value) for name, value in headers.items())
    flags = _END_HEADERS | (0 if body else _END_STREAM)
    request = _PREFACE + _frame(_SETTINGS, 0, 0, b"") + _frame(_HEADERS, flags, _STREAM, block)
    if body:
        request += _frame(_DATA, _END_STREAM, _STREAM, body)
    connection.sendall(request)
    with connection.makefile("rb") as answer:
        while len(head := answer.read(9)) == 9:
            kind, flags = head[3], head[4]
            stream = int.from_bytes(head[5:])
            answer.read(int.from_bytes(head[:3]))
            if kind == _GOAWAY or (stream == _STREAM and kind == _RST_STREAM):
                return False
            if stream == _STREAM and kind in {_HEADERS, _DATA} and flags & _END_STREAM:
                return True
    return False


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _field(name: bytes, value: bytes) -> bytes:
    """Write a header as a literal that nobody indexes: it needs no table and no Huffman code."""
    return b"\0" + _length(name) + name + _length(value) + value


def _length(text: bytes) -> bytes:
    """Write a length as HPACK does (RFC 7541, 5.1), with a prefix of seven bits."""
    rest = len(text) - 127
    if rest < 0:
        return bytes([len(text)])
    written = [127]
    while rest >= 128:
        written.append(rest % 128 + 128)
        rest //= 128
    return bytes([*written, rest])
