"""The manifests on disk: shared, bounded, checked, and never in the way."""

import asyncio
import sqlite3
import threading
from pathlib import Path

from gateway.upstream.child import Child
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.keys import DigestKey, TagKey
from gateway.upstream.store import Store, StoredTag
from tests.gateway.test_registry import (
    CHILD,
    INDEX,
    FakeRegistry,
    ask,
    digest_of,
    request,
    variables,
)
from tests.gateway.upstreams import fetcher, upstream

MEGABYTE = 1024 * 1024
KEY = DigestKey("https://registry.example", "acme/tool", digest_of(CHILD))


def test_two_workers_and_a_restart_share_manifests(tmp_path: Path) -> None:
    one, two = Store(tmp_path, MEGABYTE), Store(tmp_path, MEGABYTE)
    one.put(KEY, "application/json", CHILD)
    assert two.get(KEY) == ("application/json", CHILD)
    one.close()
    two.close()
    again = Store(tmp_path, MEGABYTE)
    assert again.get(KEY) == ("application/json", CHILD)
    other = DigestKey(KEY.registry, "acme/secret", KEY.digest)
    assert again.get(other) is None, "a digest gives no right to another repository's manifest"
    again.close()


def test_a_child_s_platform_is_known_to_every_worker(tmp_path: Path) -> None:
    one, two = Store(tmp_path, MEGABYTE), Store(tmp_path, MEGABYTE)
    for index in ("sha256:a", "sha256:b"):
        key = DigestKey(KEY.registry, KEY.repository, index)
        one.learn(key, (Child(KEY.digest, "linux/arm64"),))
    assert two.platform(KEY) == ("linux/arm64", "sha256:b")


def test_the_store_stays_within_its_budget(tmp_path: Path) -> None:
    store = Store(tmp_path, MEGABYTE)
    keys = [DigestKey("r", "n", f"sha256:{number}") for number in range(200)]
    for key in keys:
        store.put(key, "application/json", b"x" * 20_000)
    held = [key for key in keys if store.get(key) is not None]
    # The oldest go, some writes at a time.
    assert 52 <= len(held) <= 52 + 64
    assert held == keys[-len(held) :]
    store.close()


def test_what_is_no_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "manifests.sqlite").write_bytes(b"no database at all" * 100)
    store = Store(tmp_path, MEGABYTE)
    store.put(KEY, "application/json", CHILD)
    assert store.get(KEY) is not None
    store.close()


def test_a_folder_that_cannot_be_used_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for store in (
        Store(tmp_path / "file" / "cache", MEGABYTE),
        Store(None, MEGABYTE),
        Store(tmp_path / "off", 0),
    ):
        store.put(KEY, "application/json", CHILD)
        store.learn(KEY, (Child("sha256:a", "linux/amd64"),))
        assert store.get(KEY) is None
        assert store.platform(KEY) is None
        store.close()
    assert not (tmp_path / "off").exists()


def test_a_database_that_another_one_locks_is_done_without(tmp_path: Path) -> None:
    store = Store(tmp_path, MEGABYTE)
    store.put(KEY, "application/json", CHILD)
    blocker = sqlite3.connect(tmp_path / "manifests.sqlite", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    other = DigestKey("r", "n", "sha256:b")
    store.put(other, "application/json", INDEX)
    assert store.get(KEY) is not None
    assert store.get(other) is None
    blocker.execute("ROLLBACK")
    blocker.close()
    store.put(other, "application/json", INDEX)
    assert store.get(other) is not None
    store.close()


def test_workers_that_start_together_wait_for_each_other(tmp_path: Path) -> None:
    first = sqlite3.connect(
        tmp_path / "manifests.sqlite", isolation_level=None, check_same_thread=False
    )
    first.execute("BEGIN EXCLUSIVE")
    done = threading.Timer(0.3, first.execute, ["COMMIT"])
    done.start()
    store = Store(tmp_path, MEGABYTE)
    done.join()
    first.close()
    store.put(KEY, "application/json", CHILD)
    assert store.get(KEY) is not None
    store.close()


def test_workers_pull_through_each_other_s_manifests(tmp_path: Path) -> None:
    async def story() -> None:
        config = UpstreamConfig(cache=tmp_path)
        async with upstream(FakeRegistry()) as told:
            async with fetcher(config) as one:
                await one.fetch(ask(told.url, "1.0"), request())
            async with fetcher(config) as two:
                child = await two.fetch(ask(told.url, digest_of(CHILD)), request())
                assert variables(child)["platform"] == "linux/arm64/v8"
                assert variables(child)["index"] == digest_of(INDEX)
                before = len(told.asked)
                index = await two.fetch(ask(told.url, digest_of(INDEX)), request())
                assert (index.body, len(told.asked)) == (INDEX, before)

    asyncio.run(story())


def test_a_restart_while_the_registry_is_down_serves_what_was_seen(tmp_path: Path) -> None:
    async def story() -> None:
        config, registry = UpstreamConfig(cache=tmp_path, tag_seconds=0), FakeRegistry()
        async with upstream(registry) as told:
            async with fetcher(config) as before:
                await before.fetch(ask(told.url, "1.0"), request())
            registry.failing = 503
            async with fetcher(config) as after:
                for method, body in (("GET", INDEX), ("HEAD", b"")):
                    answer = await after.fetch(ask(told.url, "1.0"), request(method))
                    assert (answer.status, answer.body) == (200, body)

    asyncio.run(story())


def test_a_tag_that_another_worker_just_asked_for_costs_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        config = UpstreamConfig(cache=tmp_path)
        async with upstream(FakeRegistry()) as told:
            for _ in range(3):
                async with fetcher(config) as worker:
                    assert (await worker.fetch(ask(told.url, "1.0"), request())).body == INDEX
            assert len(told.asked) == 1

    asyncio.run(story())


def test_a_tag_that_is_gone_is_gone_for_every_worker(tmp_path: Path) -> None:
    one, two = Store(tmp_path, MEGABYTE), Store(tmp_path, MEGABYTE)
    key = TagKey("r", "n", "1.0", b"accept")
    told = StoredTag("sha256:a", "application/json", "7", 1.5)
    one.put_tag(key, told)
    assert two.tag(key) == told
    two.drop_tag(key)
    assert one.tag(key) is None


def test_bytes_that_changed_on_disk_are_fetched_anew(tmp_path: Path) -> None:
    async def story() -> None:
        config = UpstreamConfig(cache=tmp_path)
        async with upstream(FakeRegistry()) as told:
            async with fetcher(config) as one:
                await one.fetch(ask(told.url, "1.0"), request())
            with sqlite3.connect(tmp_path / "manifests.sqlite") as database:
                database.execute("UPDATE manifests SET body = ?", (b"{}",))
            database.close()
            async with fetcher(config) as two:
                index = await two.fetch(ask(told.url, digest_of(INDEX)), request())
                assert index.body == INDEX

    asyncio.run(story())
