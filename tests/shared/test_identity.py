"""Identities: answers are remembered while they are fresh, and no longer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import psycopg
import pytest

from chat.local.postgres import PostgresEngine
from chat.shared import identity
from chat.shared.errors import ApiError, Invalid, NotFound, Unauthenticated
from chat.shared.identity import (
    ACTED_MOST,
    FIRST_PROBE,
    Identities,
    KeyLimits,
    LimitedKey,
    Member,
    MissingScope,
    NotForKeys,
    UnknownActed,
    close_probe_session,
    hash_token,
    is_probe,
    open_probe_session,
    parse_acted,
)
from chat.shared.postgres import Connection, open_pool
from tests.registry.registry_nodes import enrol
from tests.waiting import eventually


async def open_sessions(database_url: str, *tokens: str) -> int:
    """Open a session of ana for each token, seen an hour ago; return her id."""
    (ana,) = await enrol(database_url, "ana")
    statement = """insert into sessions (user_id, token_hash, expires_at, last_seen_at)
        values (%s, %s, now() + interval '1 day', now() - interval '1 hour')"""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for token in tokens:
            await connection.execute(statement, [ana, hash_token(token)])
    return ana


@asynccontextmanager
async def running_identities(database_url: str, *works: str) -> AsyncIterator[Identities]:
    """Yield identities that run these tasks."""
    async with open_pool(database_url, size=2) as pool:
        identities = Identities(pool, 14)
        tasks = [asyncio.ensure_future(getattr(identities, work)()) for work in works]
        yield identities
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Read(Exception):
    """The database would be asked."""


async def is_remembered(identities: Identities, token: str) -> bool:
    """Return whether the session of this token is known without asking the database."""

    def refuse() -> None:
        raise Read

    try:
        await identities.of_token(token, refuse)
    except Read:
        return False
    return True


async def read_seen(database_url: str) -> dict[str, datetime]:
    """Return when each session was last seen, by its token."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await (await connection.execute("select token_hash, last_seen_at from sessions")).fetchall()
    tokens = {hash_token(token): token for token in ("used", "idle")}
    return {tokens[bytes(digest)]: seen for digest, seen in rows}


async def test_old_identities_are_forgotten(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old identities are forgotten, also those of idle streams, and are looked up when they are needed again."""
    monkeypatch.setattr(identity, "FRESH_SECONDS", 0.1)
    monkeypatch.setattr(identity, "TOUCH_SECONDS", 0.1)
    ana = await open_sessions(database_url, "t")
    async with running_identities(database_url, "run", "keep_touching") as identities:
        for _ in range(2):
            assert (await identities.of_token("t")).user_id == ana
            await eventually(lambda: not identities._known and not identities._seen)


async def test_fresh_identities_stay_when_old_ones_are_forgotten(database_url: str) -> None:
    """Each minute only what is older than thirty seconds is forgotten."""
    await open_sessions(database_url, "old", "fresh")
    async with running_identities(database_url, "run") as identities:
        old = await identities.of_token("old")
        await identities.of_token("fresh")
        identities._known[hash_token("old")] = replace(old, looked_up=old.looked_up - 31)
        identities._forget_stale()
        assert not await is_remembered(identities, "old")
        assert await is_remembered(identities, "fresh")


async def test_a_used_session_does_not_become_idle(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The use of a session is stored, and that of no other session."""
    monkeypatch.setattr(identity, "TOUCH_SECONDS", 0.02)
    await open_sessions(database_url, "used", "idle")
    before = await read_seen(database_url)
    async with running_identities(database_url, "run", "keep_touching") as identities:
        await identities.of_token("used")

        async def is_stored() -> bool:
            return (await read_seen(database_url))["used"] > before["used"]

        await eventually(is_stored)
    assert (await read_seen(database_url))["idle"] == before["idle"]


async def test_a_use_is_stored_after_the_database_was_away(
    own_postgres: PostgresEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A use that could not be stored is stored once the database is back."""
    monkeypatch.setattr(identity, "TOUCH_SECONDS", 0.02)
    await open_sessions(own_postgres.url, "used")
    before = await read_seen(own_postgres.url)
    async with running_identities(own_postgres.url, "run") as identities:
        await identities.of_token("used")
        own_postgres.stop()
        touching = asyncio.ensure_future(identities.keep_touching())
        await eventually(lambda: not identities._touched)  # it is being stored
        await eventually(lambda: bool(identities._touched))  # it could not be
        own_postgres.start()

        async def is_stored() -> bool:
            return (await read_seen(own_postgres.url))["used"] > before["used"]

        await eventually(is_stored)
        touching.cancel()
        await asyncio.wait([touching])


async def test_the_identities_read_last_are_remembered(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache has a bound. What was read longest ago is forgotten first, and what was read again counts as new."""
    monkeypatch.setattr(identity, "REMEMBERED", 2)
    await open_sessions(database_url, "a", "b", "c")
    async with running_identities(database_url, "run") as identities:
        for token in ("a", "b"):
            await identities.of_token(token)
        assert await is_remembered(identities, "a")
        with monkeypatch.context() as patched:
            patched.setattr(identity, "FRESH_SECONDS", -1.0)
            await identities.of_token("a")
        await identities.of_token("c")
        assert [await is_remembered(identities, token) for token in ("a", "b", "c")] == [True, False, True]
        assert len(identities._seen) == 2


async def test_streams_are_not_remembered(database_url: str) -> None:
    """A stream asks once, so its identity takes no space."""
    await open_sessions(database_url, "t")
    async with running_identities(database_url, "run") as identities:
        await identities.of_token("t", remember=False)
        assert not await is_remembered(identities, "t")


def make_member(session_id: int, user_id: int, *, acting: bool = False, expires_in: float = 60.0) -> Member:
    """Return a member who was just looked up, with a session, or with a key that acts for them."""
    key = KeyLimits(frozenset({"act-as"}), None, 99, acting=True) if acting else None
    return Member(user_id, session_id, "ana", "member", expires_in, time.monotonic(), key=key)


def is_refused(identities: Identities, member: Member) -> bool:
    """Return whether `check` refuses the member."""
    try:
        identities.check(member)
    except Unauthenticated:
        return True
    return False


async def test_an_expired_or_ended_session_is_refused(database_url: str) -> None:
    """Each of the two is enough, also for what was read before."""
    async with running_identities(database_url) as identities:
        assert not is_refused(identities, make_member(1, 1))
        assert is_refused(identities, make_member(1, 1, expires_in=0.0))
        identities.forget(1)
        assert is_refused(identities, make_member(1, 1))
        assert not is_refused(identities, make_member(2, 1))


async def test_a_session_lasts_to_its_last_moment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused from the moment on at which it expires, by this node's clock since it was read."""
    async with running_identities(database_url) as identities:
        member = make_member(1, 1)
        for age, refused in ((59.5, False), (60.0, True), (60.5, True)):
            with monkeypatch.context() as patched:
                patched.setattr(time, "monotonic", lambda age=age: member.looked_up + age)
                assert is_refused(identities, member) == refused


async def test_users_whom_a_key_acts_for_are_remembered(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is read once. The cache has a bound, what was used last stays, and streams take no space in it."""
    monkeypatch.setattr(identity, "REMEMBERED", 2)
    ana, ben, chloe = (str(user_id) for user_id in await enrol(database_url, "ana", "ben", "chloe"))
    key = Member(99, 5, "bot", "member", 60.0, time.monotonic(), key=KeyLimits(frozenset({"act-as"}), None, 99))
    async with running_identities(database_url, "run") as identities:
        assert (await identities.act_as(key, [ana], remember=False)).user_id == int(ana)
        assert not identities._acted
        with pytest.raises(UnknownActed):
            await identities.act_as(key, ["x" * ACTED_MOST])
        with pytest.raises(Invalid):
            await identities.act_as(key, ["x" * (ACTED_MOST + 1)])
        read = await identities.act_as(key, [ana])
        await identities.act_as(key, [ben])
        assert await identities.act_as(key, [ana]) is read
        assert (read.name, read.acting, read.payer, read.session_id) == ("ana", True, 99, 5)
        await identities.act_as(key, [chloe])
        assert list(identities._acted) == [(5, ana), (5, chloe)]


async def test_a_probe_has_one_account_and_one_session(database_url: str) -> None:
    """Its account is made once and its earlier sessions end; another probe has another account."""
    async with await Connection.connect(database_url, autocommit=True) as connection:
        first = await open_probe_session(connection, "a1", 60.0)
        second = await open_probe_session(connection, "a1", 60.0)
        other = await open_probe_session(connection, "b2", 60.0)
        assert (first.id, second.id, other.id) == (FIRST_PROBE, FIRST_PROBE, FIRST_PROBE + 1)
        async with running_identities(database_url, "run") as identities:
            for probe, known in ((first, False), (second, True), (other, True)):
                if known:
                    member = await identities.of_token(probe.token)
                    assert (member.user_id, 0 < member.seconds_left() <= 60) == (probe.id, True)
                    continue
                with pytest.raises(Unauthenticated):
                    await identities.of_token(probe.token)
        await close_probe_session(connection, other)
        async with running_identities(database_url, "run") as identities:
            with pytest.raises(Unauthenticated):
                await identities.of_token(other.token)
    assert [is_probe(user_id) for user_id in (FIRST_PROBE - 1, FIRST_PROBE)] == [False, True]


async def test_a_key_that_acts_for_a_user_asks_again_when_their_sessions_end(database_url: str) -> None:
    """What the key read before is refused. Sessions of the user's own, other users and later reads are not."""
    async with running_identities(database_url) as identities:
        person, acting = make_member(1, 1), make_member(2, 1, acting=True)
        other = make_member(2, 7, acting=True)
        identities.bar(1)
        assert [is_refused(identities, member) for member in (person, acting, other)] == [False, True, False]
        identities._barred[1] = acting.looked_up  # at the same moment
        assert is_refused(identities, acting)
        await eventually(lambda: not is_refused(identities, make_member(2, 1, acting=True)))


async def test_the_latest_ends_and_changes_are_remembered(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended and changed has a bound, too. The latest stay, and a user who changes again counts as new."""
    monkeypatch.setattr(identity, "REMEMBERED", 2)
    async with running_identities(database_url) as identities:
        before = {user_id: make_member(user_id, user_id, acting=True) for user_id in (1, 2, 3)}
        for user_id in (1, 2):
            identities.forget(user_id)
        assert [is_refused(identities, make_member(n, n)) for n in (1, 2)] == [True, True]
        identities.forget(3)
        assert [is_refused(identities, make_member(n, n)) for n in (1, 2, 3)] == [False, True, True]
        identities._ended.clear()
        for user_id in (1, 2, 1, 3):
            identities.bar(user_id)
        assert [is_refused(identities, before[n]) for n in (1, 2, 3)] == [True, False, True]
        assert [identities._changed_at(before[n]) > 0 for n in (1, 2, 3)] == [True, False, True]


async def test_an_ended_session_leaves_the_cache(database_url: str) -> None:
    """An ended session is forgotten at once, and the others stay."""
    await open_sessions(database_url, "ends", "stays")
    async with running_identities(database_url, "run") as identities:
        ends = await identities.of_token("ends")
        await identities.of_token("stays")
        identities.forget(ends.session_id)
        assert set(identities._known) == {hash_token("stays")}
        assert len(identities._seen) == 1


async def test_a_changed_user_is_read_again(database_url: str) -> None:
    """After a change of a user, their sessions are read again, and those of others are not."""
    ana = await open_sessions(database_url, "t")
    async with running_identities(database_url, "run") as identities:
        await identities.of_token("t")
        identities.forget_user(ana + 1)
        assert await is_remembered(identities, "t")
        identities.forget_user(ana)
        assert not await is_remembered(identities, "t")
        before = await identities.of_token("t")
        identities._changed[ana] = before.looked_up  # at the same moment
        assert (await identities.of_token("t")).looked_up > before.looked_up


async def test_waiting_look_ups_are_counted(database_url: str) -> None:
    """Those of sessions and those of users whom keys act for."""
    async with running_identities(database_url) as identities:
        key = Member(1, 1, "key", "member", 60.0, time.monotonic(), key=KeyLimits(frozenset({"act-as"}), None, 1))
        asked = [asyncio.ensure_future(identities.of_token("t")), asyncio.ensure_future(identities.act_as(key, ["1"]))]
        await eventually(lambda: identities.waiting() == 2)
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)


async def test_a_session_is_remembered_by_its_hash(database_url: str) -> None:
    """What is known of a token by its hash alone is remembered like that of a token."""
    await open_sessions(database_url, "t")
    async with running_identities(database_url, "run") as identities:
        first = await identities.of_digest(hash_token("t"))
        assert await is_remembered(identities, "t")
        assert await identities.of_token("t") is first
        identities._known[hash_token("t")] = replace(first, expires_in=0.0)
        with pytest.raises(Unauthenticated):
            await identities.of_token("t")


async def test_a_proof_lasts_for_its_time(database_url: str) -> None:
    """The time that is left is told to the fraction of a second; without a proof, and later, there is none."""
    await open_sessions(database_url, "t")
    async with running_identities(database_url, "run") as identities:
        session_id = (await identities.of_token("t")).session_id
        async with await Connection.connect(database_url, autocommit=True) as connection:
            for seconds, least, most in ((0.0, 500.0, 600.0), (599.5, 0.0, 0.5), (601.0, 0.0, 0.0)):
                statement = "update sessions set proved_at = now() - make_interval(secs => %s)"
                await connection.execute(statement, [seconds])
                assert least <= await identities.proof_left(session_id) <= most
            await identities.note_proof(session_id)
            assert await identities.proof_left(session_id) > 500
        assert await identities.proof_left(session_id + 1) == 0.0


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("7", (7, None)),
        ("1" * 16, (1111111111111111, None)),
        ("1" * 17, (None, None)),
        ("-7", (None, None)),
        ("٧", (None, None)),
        ("", (None, None)),
        ("ana", (None, None)),
        ("ext:7", (None, "7")),
        ("ext:a%20b%00", (None, "a b")),
        ("ext:ext:7", (None, "ext:7")),
    ],
)
def test_a_user_is_named_by_id_or_external_id(text: str, parsed: tuple[int | None, str | None]) -> None:
    """Anything else names no user; numbers that no id can have are none."""
    assert parse_acted(text) == parsed


@pytest.mark.parametrize("needed", [False, True])
async def test_an_admin_may_need_a_second_factor(database_url: str, needed: bool) -> None:
    """Without one they have no admin rights where it is needed. A session is no key, and has no `__Host-` cookie."""
    await open_sessions(database_url, "t")
    async with await Connection.connect(database_url, autocommit=True) as connection:
        await connection.execute("update users set role = 'admin'")
    async with running_identities(database_url, "run") as identities:
        identities._admin_mfa = needed or identities._admin_mfa
        member = await identities.of_token("t")
    assert (member.role, member.withheld) == (("member", True) if needed else ("admin", False))
    assert (member.host_cookie, member.key, member.acting, member.only) == (False, None, False, None)


LIMITED = KeyLimits(frozenset({"messages:read", "conversations:write"}), frozenset({5}), 99)


@pytest.mark.parametrize(
    ("key", "scope", "conversation", "error"),
    [
        (LIMITED, None, 5, NotForKeys),
        (LIMITED, "admin", 5, MissingScope),
        (LIMITED, "messages:read", 5, None),
        (LIMITED, "messages:read", 6, NotFound),
        (LIMITED, "messages:read", None, None),
        (LIMITED, "conversations:write", 5, None),
        (LIMITED, "conversations:write", None, LimitedKey),
        (replace(LIMITED, acting=True), "messages:read", None, LimitedKey),
        (replace(LIMITED, acting=True), "messages:read", 5, None),
        (replace(LIMITED, conversations=None), "conversations:write", None, None),
        (replace(LIMITED, conversations=None, acting=True), "messages:read", 6, None),
    ],
)
def test_a_key_has_its_scopes_in_its_conversations(
    key: KeyLimits, scope: str | None, conversation: int | None, error: type[ApiError] | None
) -> None:
    """A key that acts for users may not ask for all that they may see, if it is limited to some conversations."""
    if error is None:
        key.check(scope, conversation)
        return
    with pytest.raises(error):
        key.check(scope, conversation)
