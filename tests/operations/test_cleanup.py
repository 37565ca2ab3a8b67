"""Clean-up: expired rows are deleted after their time, others stay, and many rows go in small batches."""

from collections.abc import Iterator

import psycopg
import pytest

from chat.erasure import BATCH, Cleanup
from chat.shared.postgres import open_pool

Database = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A connection to the database, beside the node."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def ana(database: Database) -> int:
    """Ana's id; no node runs that would clean up by itself."""
    row = database.execute(
        "insert into users (name, display_name, password_hash) values ('ana', 'Ana', '') returning id"
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


async def cleans(database_url: str) -> int:
    """Run one round."""
    async with open_pool(database_url, size=2) as pool:
        return await Cleanup(pool, audit=365, events=90, expired=7).clean()


def count(database: Database, table: str) -> int:
    """Return the number of rows."""
    row = database.execute(f"select count(*) from {table}").fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


async def test_sessions(ana: int, database_url: str, database: Database) -> None:
    """Sessions that ended or expired more than seven days ago are deleted with address and device; others stay."""
    for n, (ended, expires) in enumerate([(-8, 20), (-6, 20), (None, -8), (None, -6)]):
        database.execute(
            "insert into sessions (user_id, token_hash, device, address, ended_at, expires_at) values"
            " (%s, %s, 'Phone', '10.0.0.1', now() + make_interval(days => %s), now() + make_interval(days => %s))",
            [ana, f"token {n}".encode(), ended, expires],
        )
    assert await cleans(database_url) == 2
    assert count(database, "sessions") == 2


async def test_many_go_in_batches(ana: int, database_url: str, database: Database) -> None:
    """One round deletes several batches; a second node finds nothing left."""
    database.execute(
        "insert into sessions (user_id, token_hash, expires_at)"
        " select %s, sha256(n::text::bytea), now() - interval '9 days' from generate_series(1, %s) n",
        [ana, 2 * BATCH + 7],
    )
    assert await cleans(database_url) == 2 * BATCH + 7
    assert await cleans(database_url) == 0


async def test_invites_links_and_resets(ana: int, database_url: str, database: Database) -> None:
    """Used and expired ones are deleted; valid ones stay."""
    row = database.execute("insert into conversations (kind) values ('channel') returning id").fetchone()
    assert row is not None
    (room,) = row
    for n, (uses, age, left) in enumerate([(1, 0, 7), (0, 1, 7), (0, 8, 7), (1, 9, -8), (1, 9, -1)]):
        values = {"code": f"code {n}".encode(), "uses": uses, "by": ana, "age": age, "left": left, "room": room}
        database.execute(
            "insert into invites (code_hash, uses_left, created_by, created_at, expires_at) values (%(code)s, %(uses)s,"
            " %(by)s, now() - make_interval(days => %(age)s), now() + make_interval(days => %(left)s))",
            values,
        )
        database.execute(
            "insert into links (conversation_id, code_hash, uses_left, made_by, made_at, expires_at) values (%(room)s,"
            " %(code)s, %(uses)s, %(by)s, now() - make_interval(days => %(age)s),"
            " now() + make_interval(days => %(left)s))",
            values,
        )
    for token, seconds in (("a", -1), ("b", 3600)):
        database.execute(
            "insert into password_resets (token_hash, user_id, expires_at)"
            " values (%s, %s, now() + make_interval(secs => %s))",
            [token.encode(), ana, seconds],
        )
    assert await cleans(database_url) == 5
    assert (count(database, "invites"), count(database, "links"), count(database, "password_resets")) == (3, 3, 1)


async def test_the_audit(database_url: str, database: Database) -> None:
    """Log-ins and failures are deleted after 90 days, admin actions after 365, keys of typed names after a day."""
    for action, days in [("login.ok", 89), ("login.failed", 91), ("account.role", 91), ("account.role", 366)]:
        database.execute(
            "insert into audit (at, action) values (now() - make_interval(days => %s), %s)", [days, action]
        )
    for days in (0, 1, 2):
        database.execute("insert into audit_keys values (current_date - %s::integer, 'key')", [days])
    assert await cleans(database_url) == 3
    rows = database.execute("select action from audit order by id").fetchall()
    assert [row[0] for row in rows] == ["login.ok", "account.role"]
    assert count(database, "audit_keys") == 2


async def test_one_at_a_time(ana: int, database_url: str, database: Database) -> None:
    """While one node cleans up, another one does not."""
    database.execute(
        "insert into sessions (user_id, token_hash, expires_at) values (%s, 'a', now() - interval '9 days')", [ana]
    )
    with database.transaction():
        database.execute("select pg_advisory_xact_lock(7263371)")
        assert await cleans(database_url) == 0
    assert await cleans(database_url) == 1
