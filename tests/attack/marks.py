"""Addresses that mark a client, every way they could be written down, and a search for them all."""

import base64
import hashlib
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import msgspec
import polars as pl

SALTS = ".salt"


def spellings(mark: str) -> set[str]:
    """The texts that stand for an address, lower case."""
    address = ip_address(mark)
    packed = address.packed
    texts = {
        mark,
        str(address),
        address.exploded,
        packed.hex(),
        str(int(address)),
        hex(int(address)),
    }
    texts |= {address.reverse_pointer, base64.b64encode(packed).decode()}
    if isinstance(address, IPv4Address):
        texts |= {"-".join(mark.split(".")), "_".join(mark.split(".")), "%2e".join(mark.split("."))}
        texts.add(f"::ffff:{packed[:2].hex()}:{packed[2:].hex()}")
    for text in {mark, str(address), address.exploded}:
        # An unsalted hash is an address that takes a minute to find.
        texts |= {
            name(text.encode()).hexdigest() for name in (hashlib.md5, hashlib.sha1, hashlib.sha256)
        }
        texts.add(base64.b64encode(text.encode()).decode().rstrip("="))
    return {text.lower() for text in texts}


def numbers(mark: str) -> set[int]:
    """The numbers that stand for an address in a column of numbers."""
    packed = ip_address(mark).packed[-8:]
    found = {int.from_bytes(packed, order) for order in ("big", "little")}
    for text in {mark.encode(), ip_address(mark).packed}:
        for digest in (
            hashlib.blake2b(text, digest_size=8, person=b"endpoint").digest(),
            hashlib.blake2b(text, digest_size=8).digest(),
            hashlib.sha256(text).digest()[:8],
        ):
            found |= {int.from_bytes(digest, order) for order in ("big", "little")}
    return found


def found_in(home: Path, marks: list[str]) -> Iterator[str]:
    """Name every place below `home` that holds a mark."""
    for path in sorted(home.rglob("*")):
        yield from (f"{path}: its name holds {mark}" for mark in marks if mark in str(path))
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        for mark in marks:
            yield from (f"{path}: {one!r}" for one in spellings(mark) if one in _text(content))
            # Compressed pages and salts are random bytes, in which four that fit are no finding.
            if path.suffix not in {".parquet", SALTS} and ip_address(mark).packed in content:
                yield f"{path}: the bytes of {mark}"
        if path.suffix == ".parquet":
            yield from found_in_table(path, marks)


def found_in_table(path: Path, marks: list[str]) -> Iterator[str]:
    """Name every column of a table that holds a mark, decoded."""
    table = pl.read_parquet(path, hive_partitioning=False)
    for name in table.columns:
        values = table[name].drop_nulls().to_list()
        words = _text(repr(values).encode())
        for mark in marks:
            yield from (f"{path}, {name}: {one!r}" for one in spellings(mark) if one in words)
            if table[name].dtype.is_integer() and numbers(mark) & set(values):
                yield f"{path}, {name}: the number of {mark}"
        if name == "variables":
            decoded = _text(repr([msgspec.json.decode(value) for value in values]).encode())
            yield from (f"{path}, {name}: {mark}" for mark in marks if mark in decoded)


def _text(content: bytes) -> str:
    return content.decode("latin-1").lower()
