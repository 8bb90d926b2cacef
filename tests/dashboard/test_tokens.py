"""Who may ask: hashes in a file, and nothing that a reader of the file could use."""

import datetime as dt
import hashlib
import logging
import os
import re
import threading
from pathlib import Path

import pytest

from dashboard.tokens import TokenFile, TokensError, create, read

TODAY = dt.date(2026, 3, 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "api-tokens.toml"


def test_only_the_hash_is_stored(file: Path) -> None:
    secret = create(file, "ci", TODAY)
    assert re.fullmatch(r"footfall_[A-Za-z0-9_-]{43}", secret)
    assert secret.removeprefix("footfall_") not in file.read_text()
    [token] = read(file)
    assert (token.name, token.created) == ("ci", TODAY)
    assert token.sha256 == hashlib.sha256(secret.encode()).hexdigest()


def test_nobody_else_may_read_the_file(file: Path) -> None:
    create(file, "ci", TODAY)
    file.chmod(0o644)
    create(file, "laptop", TODAY)
    assert file.stat().st_mode & 0o777 == 0o600


def test_tokens_add_up_and_comments_stay(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("# ours")
    secrets = [create(file, name, TODAY) for name in ("ci", "lap.top-2")]
    tokens = TokenFile(file)
    assert [tokens.owner(secret) for secret in secrets] == ["ci", "lap.top-2"]
    assert file.read_text().startswith("# ours\n")


def test_tokens_made_at_once_are_all_kept(file: Path) -> None:
    makers = [threading.Thread(target=create, args=(file, f"t{n}", TODAY)) for n in range(20)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sorted(token.name for token in read(file)) == sorted(f"t{n}" for n in range(20))


@pytest.mark.parametrize("name", ["", " ", "a b", '"', "ü", ".hidden", "a" * 65, "a\nb", "../x"])
def test_a_name_that_will_not_do(file: Path, name: str) -> None:
    with pytest.raises(TokensError, match="letters, digits"):
        create(file, name, TODAY)
    assert not file.exists()


def test_a_name_is_given_once(file: Path) -> None:
    create(file, "ci", TODAY)
    before = file.read_bytes()
    with pytest.raises(TokensError, match="'ci' exists"):
        create(file, "ci", TODAY)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("[[token]]\nname =", "invalid value", id="no TOML"),
        pytest.param('[[token]]\nname = "ci"\ncreated = 2026-03-01', "sha256", id="no hash"),
        pytest.param(
            '[[token]]\nname = "ci"\nsha256 = "AB"\ncreated = 2026-03-01', "'AB'", id="bad hash"
        ),
        pytest.param("[[tokens]]", "tokens", id="unknown key"),
        pytest.param(b"\xff", "utf", id="no text"),
    ],
)
def test_a_broken_file_is_named(file: Path, content: str | bytes, says: str) -> None:
    file.parent.mkdir()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TokensError, match=f"(?is){re.escape(str(file))}.*{says}"):
        TokenFile(file)


class TestOwner:
    def test_others_are_nobody(self, file: Path) -> None:
        secret = create(file, "ci", TODAY)
        tokens = TokenFile(file)
        stored = read(file)[0].sha256
        for wrong in ("", secret[:-1], secret + "x", secret.upper(), stored, "\udcff", "é"):
            assert tokens.owner(wrong) is None

    def test_without_a_file_nobody_is_known_until_there_is_one(self, file: Path) -> None:
        tokens = TokenFile(file)
        assert (len(tokens), tokens.owner("")) == (0, None)
        secret = create(file, "ci", TODAY)
        assert tokens.owner(secret) == "ci"

    def test_a_removed_token_is_unknown_at_once(self, file: Path) -> None:
        first = create(file, "first", TODAY)
        kept = file.read_text()
        second = create(file, "second", TODAY)
        tokens = TokenFile(file)
        assert tokens.owner(second) == "second"
        file.write_text(kept)
        assert (tokens.owner(first), tokens.owner(second)) == ("first", None)
        file.unlink()
        assert tokens.owner(first) is None

    def test_a_file_broken_meanwhile_shuts_everyone_out_and_says_so_once(
        self, file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = create(file, "ci", TODAY)
        good = file.read_text()
        tokens = TokenFile(file)
        file.write_text(good + "oops")
        with caplog.at_level(logging.ERROR):
            assert [tokens.owner(secret), tokens.owner(secret)] == [None, None]
        [record] = caplog.records
        assert str(file) in record.getMessage()
        assert "refused" in record.getMessage()
        file.write_text(good)
        os.utime(file, ns=(1, 1))
        assert tokens.owner(secret) == "ci"
