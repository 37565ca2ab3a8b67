"""Reports of a node, and the history of all nodes."""

import psycopg

from chat.shared.web import POOL
from presence.dashboard import read_history
from tests.cast import Cast, Person
from tests.dashboard.looking import Json, asks, audited
from tests.nodes import Node
from tests.waiting import eventually


async def report(admin: Person) -> Json:
    """Return the only node's report."""
    (node,) = (await asks(admin, "nodes"))["nodes"]
    return dict(node)


async def test_a_node_reports_its_state(cast: Cast, ada: Person) -> None:
    """The report has readers, reasons of their ends, delays, and the position in the log."""
    ana, ben = await cast.enters("ana", "ben")
    room = await cast.share(ana, ben)
    reader = await ben.listens()
    await ana.says(room, "hello")
    await eventually(reader.messages)
    await reader.cuts_wire()

    async def told() -> Json | None:
        await ana.says(room, "hello again")
        seen = await report(ada)
        return seen if seen["ends"] and seen["delivery"] and seen["announce"] is not None else None

    seen = await eventually(told)
    assert seen is not None
    assert seen["ends"] == {"left": 1}
    assert 0 <= seen["delivery"]["p50"] <= seen["delivery"]["p99"] < 5_000
    assert 0 <= seen["announce"] < 5_000
    assert (seen["polls"], seen["replays"], seen["draining"], seen["listening"]) == (0, 0, False, True)
    assert seen["position"] >= 1
    assert seen["memory"] > 10_000_000
    assert seen["state"] == "up"
    assert "where" not in seen


async def test_a_month_has_the_points_of_a_chart(node: Node, ada: Person, database_url: str) -> None:
    """A month has as many points as a chart shows: means, peaks, and the last value of counters; an hour has every
    minute."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into presence_stats (minute, people, online, away, dnd, streams, sockets, nodes, reaped, joins)"
            " select date_trunc('minute', now()) - make_interval(mins => n), (n + 1) % 2, n % 2, 0, 0, n, 0, 1, 0,"
            " 50000 - n"
            " from generate_series(0, 40000) n"
        )
    month = (await asks(ada, "stats", minutes=30 * 24 * 60))["history"]
    assert 600 < len(month) <= 721
    assert {point["peak"] for point in month} == {1}  # the first and the last step may be a single minute
    joins = [point["joins"] for point in month]
    assert joins == sorted(joins)
    assert joins[-1] == 50_000
    hour = await read_history(node.app[POOL], 60)
    with psycopg.connect(database_url) as connection:
        begun = connection.execute(  # a minute may have begun meanwhile
            "select (extract(epoch from date_trunc('minute', now()) - max(minute)) / 60)::int from presence_stats"
        ).fetchone()
    assert begun is not None
    assert len(hour) == 60 - begun[0]
    assert [point["people"] for point in hour[-2:]] == [0, 1]


async def test_the_audit_is_filtered(cast: Cast, ada: Person) -> None:
    """Filters are the beginning of the action, and the user it is by or about."""
    (ben,) = await cast.enters("ben")
    await asks(ada, f"evidence/{ben.id}")
    await ada.call("POST", "/api/presence/reconcile")
    await ada.call("PUT", f"/api/users/{ben.id}/disabled", {"disabled": True})
    assert [row[0] for row in await audited(ada, "action=presence")] == ["presence.reconcile", "presence.look"]
    assert [row[0] for row in await audited(ada, "action=presence.look")] == ["presence.look"]
    about = {row[0] for row in await audited(ada, f"user={ben.id}")}
    assert about == {"presence.look", "account.disable", "login.end"}
    assert await audited(ada, "user=999999") == []
    assert (await ada.call("GET", "/api/audit?action=%25"))[0] == 422
