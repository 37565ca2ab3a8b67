"""Identities: answers are remembered while they are fresh, and no longer."""

import asyncio

import psycopg
import pytest

from chat.shared import identity
from chat.shared.identity import Identities, hash_token
from chat.shared.postgres import open_pool
from tests.registry.registry_nodes import enrol
from tests.waiting import eventually


async def test_old_identities_are_forgotten(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old identities are forgotten, also those of idle streams, and are looked up when they are needed again."""
    monkeypatch.setattr(identity, "FRESH_SECONDS", 0.1)
    monkeypatch.setattr(identity, "TOUCH_SECONDS", 0.1)
    (ana,) = await enrol(database_url, "ana")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        statement = "insert into sessions (user_id, token_hash, expires_at) values (%s, %s, now() + interval '1 day')"
        await connection.execute(statement, [ana, hash_token("t")])
    async with open_pool(database_url, size=2) as pool:
        identities = Identities(pool, 14)
        works = [asyncio.ensure_future(work()) for work in (identities.run, identities.keep_touching)]
        for _ in range(2):
            assert (await identities.of_token("t")).user_id == ana
            await eventually(lambda: not identities._known and not identities._seen)
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
