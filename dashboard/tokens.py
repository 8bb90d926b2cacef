"""Bearer tokens: who may ask the API. The file holds only hashes, so reading it lets nobody in.

A token is 32 random bytes, so one round of SHA-256 is enough: there is no word list to try.
"""

import datetime as dt
import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
from pathlib import Path
from typing import Final

import msgspec

PREFIX: Final = "footfall_"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_HEADER: Final = b"# Tokens for Footfall's API, as SHA-256. Remove an entry to revoke it.\n"

log = logging.getLogger(__name__)


class TokensError(Exception):
    """The tokens file, or the name for a new token, is not usable as it is."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the file."""

    name: str
    sha256: str  # lower-case hex
    created: dt.date


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: tuple[Token, ...] = ()


def read(file: Path) -> tuple[Token, ...]:
    """Every token of the file. A file that is not there has none."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise TokensError(f"{file}: cannot be read: {error.strerror}") from error
    return _parse(file, content)


def create(file: Path, name: str, today: dt.date) -> str:
    """Add a token and return it: the only time that it is seen. The file's mode becomes 0600."""
    if NAME.fullmatch(name) is None:
        raise TokensError(
            f"the name {name!r} will not do: 1 to 64 letters, digits, dots, underscores and "
            "hyphens, the first a letter or a digit"
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Appending leaves the comments and entries of an operator alone.
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        os.fchmod(opened.fileno(), 0o600)
        present = opened.read()
        if any(token.name == name for token in _parse(file, present)):
            raise TokensError(
                f"{file}: a token named {name!r} exists; remove its entry to revoke it"
            )
        gap = b"\n" if present else _HEADER
        entry = f'\n[[token]]\nname = "{name}"\nsha256 = "{digest(secret)}"\ncreated = {today}\n'
        # One write, so that a reader never finds half an entry.
        opened.write(gap * (not present or not present.endswith(b"\n")) + entry.encode())
        opened.flush()
        os.fsync(opened.fileno())
    return secret


def digest(secret: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class TokenFile:
    """The tokens as the file has them now: a change counts from the next request on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._tokens = self._read()

    def __len__(self) -> int:
        return len(self._tokens)

    def owner(self, secret: str) -> str | None:
        """The name of the token, or None where it is no token of ours."""
        self._follow()
        asked = digest(secret)
        # Every entry is compared, each in constant time: how long it takes tells nothing.
        names = [token.name for token in self._tokens if hmac.compare_digest(token.sha256, asked)]
        return names[0] if names else None

    def _follow(self) -> None:
        if self._look() == self._stamp:
            return
        try:
            self._tokens = self._read()
        except TokensError as error:
            # An entry that was to be removed may be in there: nobody gets in until it is right.
            self._tokens = ()
            log.error("%s; every request is refused until this is put right", error)  # noqa: TRY400  the message says it all

    def _read(self) -> tuple[Token, ...]:
        # Looked at before it is read: a change in between is then seen as one next time.
        self._stamp = self._look()
        return read(self._file)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def _parse(file: Path, content: bytes) -> tuple[Token, ...]:
    try:
        tokens = msgspec.toml.decode(content, type=_File).token
    except (msgspec.MsgspecError, ValueError) as error:  # no TOML, no UTF-8 or no tokens
        raise TokensError(
            f"{file}: {error}; an entry is [[token]] with name, sha256 and created"
        ) from error
    for token in tokens:
        if _DIGEST.fullmatch(token.sha256) is None:
            raise TokensError(
                f"{file}: token {token.name!r}: sha256 = {token.sha256!r} is not 64 hex digits in "
                "lower case; `python -m dashboard token NAME` writes a right one"
            )
    return tokens
