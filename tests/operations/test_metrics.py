"""Metrics: what a node is doing, for local callers."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cast import Cast
from tests.nodes import Node, running_node
from tests.presence.presence_client import open_presence


async def figures(cast: Cast, node: Node, **headers: str) -> dict[str, float]:
    """Return every sample by name and labels."""
    async with cast.http.get(node.url + "/metrics", headers=headers) as answer:
        assert answer.status == 200
        families = text_string_to_metric_families(await answer.text())
        return {" ".join([one.name, *one.labels.values()]): one.value for family in families for one in family.samples}


async def status(cast: Cast, node: Node, **headers: str) -> int:
    """Return the status of a request."""
    async with cast.http.get(node.url + "/metrics", headers=headers) as answer:
        return answer.status


async def test_metrics_of_connections_and_the_log(cast: Cast, node: Node) -> None:
    """Streams, sockets, users and the log's position are counted; nothing waits, and there are no ghosts."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    await ana.listens()
    async with open_presence(ana), open_presence(ana):
        before = await figures(cast, node)
        await ana.says(room, "hello")
        now = await figures(cast, node)
    assert (now["tandem_streams"], now["tandem_sockets"], now["tandem_people"]) == (1, 2, 1)
    assert now["tandem_log_position"] == before["tandem_log_position"] + 1
    assert (now["tandem_log_listening"], now["tandem_log_deaf"], now["tandem_registry_degraded"]) == (1, 0, 0)
    assert now["tandem_queue_length posts"] == now["tandem_queue_length registry"] == 0
    for reason in ("dead node", "node that left", "unknown node"):
        assert now[f"tandem_ghosts_reaped_total {reason}"] == 0
    assert 0 <= now["tandem_loop_lag_seconds"] < 5
    assert now["tandem_append_entries_count"] == before["tandem_append_entries_count"] + 1
    assert now["tandem_append_seconds_count"] > before["tandem_append_seconds_count"]
    assert now["tandem_delivery_seconds_sum"] > before["tandem_delivery_seconds_sum"]
    assert now["tandem_stream_starts_total fresh"] == 1
    assert now["tandem_requests_total 201"] == 1
    assert now["tandem_postgres_connections open"] >= now["tandem_postgres_connections idle"] >= 0
    assert now["process_resident_memory_bytes"] > 0
    assert now["tandem_node_info Redis a1 all"] == 1


async def test_how_streams_begin_and_end(cast: Cast, node: Node) -> None:
    """Streams that resume, get a reset, or end with a session are counted."""
    (ana,) = await cast.enters("ana")
    room = await cast.share(ana)
    first = await ana.listens()
    start = first.cursor
    await first.cuts_wire()
    await ana.says(room, "missed")
    again = await ana.listens(last_event_id=start)
    await again.hears("missed")
    await (await ana.listens(last_event_id="nonsense")).hears_event("reset")
    await ana.call("DELETE", "/api/sessions/current")
    await again.ends()
    now = await figures(cast, node)
    assert now["tandem_stream_starts_total resumed"] == now["tandem_stream_starts_total reset_bad_cursor"] == 1
    assert now["tandem_replayed_entries_total"] == 1
    assert now["tandem_stream_ends_total revoked"] == 2
    assert now["tandem_stream_ends_total left"] == 1


@pytest.mark.parametrize(
    ("forwarded", "wanted"),
    [("10.1.2.3", 200), ("203.0.114.7", 404), ("203.0.114.7, 10.0.0.1", 404), ("10.0.0.1, nonsense", 404)],
)
async def test_only_local_callers_get_metrics(cast: Cast, node: Node, forwarded: str, wanted: int) -> None:
    """Only local callers get metrics; a client behind a proxy is judged by its forwarded address."""
    assert await status(cast, node, **{"X-Forwarded-For": forwarded}) == wanted


async def test_public_metrics(database_url: str, redis_url: str, cast: Cast) -> None:
    """METRICS_PUBLIC admits everyone."""
    async with running_node(database_url, redis_url, node="b2", metrics_public=True) as public:
        assert await status(cast, public, **{"X-Forwarded-For": "203.0.114.7"}) == 200
        assert await status(cast, public, Forwarded="for=203.0.114.7") == 200


async def test_the_header_forwarded_is_ignored(cast: Cast, node: Node) -> None:
    """`Forwarded` is not read, and therefore not believed."""
    assert await status(cast, node, Forwarded="for=10.0.0.1") == 404
