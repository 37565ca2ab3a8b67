"""The team's figures: right, without the names of private conversations, and not counted again at each request."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chat.shared.postgres import Pool
from chat.shared.web import POOL
from chat.team import CONVERSATIONS_MOST, DAYS, FEW, NAMED, TEAM_FIGURES, TEAM_STORAGE, NotificationCounts, queries
from tests.cast import Cast, Person
from tests.files.sending import posts, sends
from tests.nodes import Node
from tests.operations.answers import ANSWERS
from tests.verbs import CONVERSATIONS, begins, deletes

PATH = "/api/team/figures"
OUTGOING = """
insert into outgoing_hooks (conversation_id, user_id, name, url, secret, events, command)
values (%s, %s, 'x', 'x', 'x', '{}', %s)"""
FAILING = """
insert into subscriptions (target, epoch, position, attempts)
select 'hook:' || id, 'x', 0, 3 from outgoing_hooks where command is null"""
NONE = {"running": 0, "failing": 0, "disabled": 0}


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def figures(node: Node, admin: Person) -> dict[str, Any]:
    """Return the figures as they are now."""
    for counted in (TEAM_STORAGE, TEAM_FIGURES):
        node.app[counted].forget()
    return await last_figures(admin)


async def last_figures(admin: Person) -> dict[str, Any]:
    """Return the figures as the node has them."""
    status, answer = await admin.call("GET", PATH)
    assert status == 200, answer
    ANSWERS["get_team_figures"].model_validate(answer)
    return dict(answer)


async def change(database_url: str, statement: str, *fields: object) -> None:
    """Change rows directly, such as times that have passed."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(statement.encode(), fields)


async def ages(database_url: str, room: int, first: int, last: int, days: int) -> None:
    """Make these messages so many days old."""
    old = "update messages set created_at = now() - make_interval(days => %s)"
    set_back = f"{old} where conversation_id = %s and seq between %s and %s"
    await change(database_url, set_back, days, room, first, last)


# Members.


async def test_active_members(node: Node, cast: Cast, database_url: str, ada: Person) -> None:
    """Users are active by the last use of any of their sessions. Bots and disabled accounts are counted apart."""
    ben, chloe, dora, emil = await cast.enters("ben", "chloe", "dora", "emil")
    for person, days in ((ben, 2), (chloe, 20), (dora, 40)):
        set_back = "update sessions set last_seen_at = now() - make_interval(days => %s) where user_id = %s"
        await change(database_url, set_back, days, person.id)
    room = await begins(ada, "channel", "kitchen", emil)
    assert (await ada.call("POST", f"{CONVERSATIONS}/{room}/incoming-hooks", {"name": "Grafana"}))[0] == 201
    await ada.call("PUT", f"/api/users/{dora.id}/disabled", {"disabled": True})
    await change(database_url, "update users set external_id = 'u-17' where id = %s", emil.id)
    members = (await figures(node, ada))["members"]
    assert members == {"day": 2, "week": 3, "month": 4, "people": 3, "external": 1, "bots": 1, "disabled": 1}


# Messages.


async def test_only_public_channels_are_named(node: Node, ada: Person, ana: Person, ben: Person) -> None:
    """Private channels, groups and direct messages are one number, and their names are nowhere in the answer."""
    kitchen, attic = await begins(ana, "channel", "kitchen", ben), await begins(ana, "channel", "attic", private=True)
    secret, direct = await begins(ana, "group", "surprise", ben), await begins(ana, "direct", "", ben)
    for room, count in ((kitchen, 4), (attic, 3), (secret, 2), (direct, 1)):
        for n in range(count):
            await ana.says(room, f"message {n}")
    await deletes(ana, kitchen, 4)
    answer = await figures(node, ada)
    found = answer["messages"]
    assert found["total"] == 10
    assert found["channels"] == [{"id": kitchen, "name": "kitchen", "messages": 4}]
    assert found["private"] == {"conversations": 3, "messages": 6}
    assert found["other_channels"] == {"conversations": 0, "messages": 0}
    assert not any(name in str(answer) for name in ("attic", "surprise"))


async def test_messages_by_day(node: Node, database_url: str, ada: Person, ana: Person) -> None:
    """Each day of the last thirty has its messages. Older ones are in the total only."""
    kitchen, lunch, old = [await begins(ana, "channel", name) for name in ("kitchen", "lunch", "old")]
    for room, count in ((kitchen, 9), (lunch, 2), (old, 5)):
        for n in range(count):
            await ana.says(room, f"message {n}")
    await ages(database_url, old, 1, 5, days=40)
    await ages(database_url, kitchen, 1, 2, days=31)
    await ages(database_url, kitchen, 3, 5, days=29)
    await ages(database_url, kitchen, 6, 6, days=3)
    await ages(database_url, kitchen, 7, 9, days=0)
    await ages(database_url, lunch, 1, 1, days=3)
    await ages(database_url, lunch, 2, 2, days=0)
    found = (await figures(node, ada))["messages"]
    assert found["total"] == 16
    days = [date.fromisoformat(one["day"]) for one in found["days"]]
    assert days == [days[-1] - timedelta(days=ago) for ago in range(29, -1, -1)]
    assert {(days[-1] - day).days: one["messages"] for day, one in zip(days, found["days"], strict=True)} == (
        dict.fromkeys(range(30), 0) | {29: 3, 3: 2, 0: 4}
    )
    assert [(one["name"], one["messages"]) for one in found["channels"]] == [("kitchen", 7), ("lunch", 2)]


async def test_many_channels_are_counted_together(
    node: Node, ada: Person, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The busiest public channels are named, the others have one row."""
    monkeypatch.setattr("chat.team.NAMED", 1)
    for n, name in enumerate(("one", "two", "three"), 1):
        room = await begins(ana, "channel", name)
        for m in range(n):
            await ana.says(room, f"message {m}")
    found = (await figures(node, ada))["messages"]
    assert [one["name"] for one in found["channels"]] == ["three"]
    assert found["other_channels"] == {"conversations": 2, "messages": 3}


async def test_messages_are_not_counted_one_by_one(node: Node, cast: Cast, ana: Person) -> None:
    """A hundred times as many messages on a day cost as much to count."""
    room = await begins(ana, "channel", "kitchen")
    for n in range(3):
        await ana.says(room, f"message {n}")
    few = await cost_of_days(node.app[POOL])
    more = """
        with added as (
            insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at)
            select %s, n, 1000000 + n, %s, 'c' || n, 'x', now() from generate_series(4, 5003) as n returning 1)
        update conversations set last_seq = last_seq + 5000 where id = %s and exists (select from added)"""
    await change(cast.database_url, more, room, ana.id, room)
    assert await cost_of_days(node.app[POOL]) < few + 30


async def cost_of_days(pool: Pool) -> int:
    """Return how many pages PostgreSQL looks at for the messages by day, planned with the same knowledge."""
    fields = {"days": DAYS, "most": CONVERSATIONS_MOST, "few": FEW, "named": NAMED}
    async with pool.connection() as connection:
        await connection.execute("set local enable_seqscan = off")
        explained = b"explain (analyze, buffers, format json) " + queries.count_days
        row = await (await connection.execute(explained, fields)).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


async def test_figures_are_kept(node: Node, ada: Person, ana: Person) -> None:
    """Requests in quick succession get the figures that were counted for the first one."""
    room = await begins(ana, "channel", "kitchen")
    first = await figures(node, ada)
    await ana.says(room, "a message that is not counted yet")
    assert await last_figures(ada) == first
    assert (await figures(node, ada))["messages"]["total"] == 1


# Storage, hooks and notifications.


async def test_storage_by_kind(node: Node, ada: Person, ana: Person) -> None:
    """Files are counted while they exist, by what is in them."""
    room = await begins(ana, "channel", "kitchen")
    notes, page = await sends(ana, b"soup" * 500), await sends(ana, b"<html>soup</html>", "soup.html")
    await posts(ana, room, notes)
    junk = await sends(ana, bytes(range(256)) * 20, "junk.bin")
    storage = (await figures(node, ada))["storage"]
    assert (storage["files"], storage["bytes"]) == (3, 2_000 + 17 + 5_120)
    assert storage["kinds"] == [
        {"kind": "other", "files": 1, "bytes": 5_120},
        {"kind": "document", "files": 2, "bytes": 2_017},
    ]
    assert storage["database"] > 1_000_000
    for file in (page, junk):
        assert (await ana.call("DELETE", f"/api/files/{file['id']}"))[0] == 204
    assert (await figures(node, ada))["storage"]["bytes"] == 2_000


async def test_storage_is_not_summed_at_each_request(node: Node, ada: Person, ana: Person) -> None:
    """The page of the team's settings and the figures share what was measured, at most once a minute."""
    for size in (2_000, 4_000):
        await posts(ana, await begins(ana, "channel", f"kitchen {size}"), await sends(ana, b"soup" * 500))
        assert (await ada.call("GET", "/api/team"))[1]["storage"]["files"] == 2_000
    assert (await last_figures(ada))["storage"]["bytes"] == 2_000
    await figures(node, ada)
    status, team = await ada.call("GET", "/api/team")
    assert (status, team["storage"]["files"], team["storage"]["database"] > 1_000_000) == (200, 4_000, True)


async def test_hooks_by_state(node: Node, database_url: str, ada: Person, ana: Person) -> None:
    """An incoming hook fails while its last delivery was refused, and one that is off counts as off only."""
    assert (await figures(node, ada))["hooks"] == {"incoming": NONE, "outgoing": NONE, "command": NONE}
    room = await begins(ana, "channel", "kitchen")
    path = f"{CONVERSATIONS}/{room}/incoming-hooks"
    hooks = [(await ana.call("POST", path, {"name": f"hook {n}"}))[1]["hook"]["id"] for n in range(3)]
    await change(database_url, "update incoming_hooks set problem = 'no text' where id = any(%s)", hooks[1:])
    await ana.call("PATCH", f"{path}/{hooks[2]}", {"enabled": False})
    for command in (None, "soup"):
        await change(database_url, OUTGOING, room, ana.id, command)
    await change(database_url, FAILING)
    assert (await figures(node, ada))["hooks"] == {
        "incoming": {"running": 1, "failing": 1, "disabled": 1},
        "outgoing": NONE | {"failing": 1},
        "command": NONE | {"running": 1},
    }


async def test_notifications_of_all_nodes_are_added(node: Node, database_url: str, ada: Person) -> None:
    """Each node adds what it has sent since the last time, and the figures say since when they count."""
    outcomes = {"push": Counter({"sent": 5, "failed": 1, "gone": 1, "not needed": 9}), "email": Counter({"sent": 2})}
    one, other = [NotificationCounts(node.app[POOL], outcomes) for _ in range(2)]
    await one.store()
    await one.store()
    outcomes["push"]["sent"] += 3
    await one.store()
    await other.store()
    await change(database_url, "update notification_counts set hour = hour - interval '2 days' where kind = 'email'")
    sent = (await figures(node, ada))["notifications"]
    assert sent["push"] == {"day": 16, "week": 16, "failed": 4}
    assert sent["email"] == {"day": 0, "week": 4, "failed": 0}
    assert sent["since"] < f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}T23:59:59Z"
    assert (sent["devices"], sent["mails"]) == (0, False)


async def test_old_counts_are_removed(node: Node, database_url: str, ada: Person) -> None:
    """Counts of more than a month are gone after the next ones are stored."""
    await change(database_url, "insert into notification_counts values (now() - interval '40 days', 'push', 7, 0)")
    await NotificationCounts(node.app[POOL], {"push": Counter({"sent": 1})}).store()
    since = (await figures(node, ada))["notifications"]["since"]
    assert since[:10] >= f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
