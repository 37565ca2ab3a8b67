"""Traces: a request's id stands in its answer and in the log, beside the frame that readers got."""

import orjson

from tests.cast import Cast
from tests.promises.conftest import StartNode, stage, start_node

__all__ = ["stage", "start_node"]


async def test_from_post_to_log_to_frame(stage: Cast, start_node: StartNode) -> None:
    """The proxy's id, or else one of ours; the log names the frame that Ben hears; nonsense is not repeated."""
    node = await start_node("a1", LOG_REQUESTS="all")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben)
    ear = await ben.listens()
    path = f"/api/chat/conversations/{room}/messages"
    draft = {"body": "hello", "client_id": "c1"}
    _, _, first = await ana.asks("POST", path, draft, headers={"X-Request-ID": "proxy-7"})
    _, _, second = await ana.asks("POST", path, draft, headers={"X-Request-ID": "a b"})
    await ear.hears("hello")
    assert first["X-Request-ID"] == "proxy-7"
    assert " " not in second["X-Request-ID"]
    lines = [
        orjson.loads(line) for line in node.log.read_text().splitlines() if '"event":"request"' in line.replace(" ", "")
    ]
    (fresh,), (known,) = ([line for line in lines if line["request"] == one["X-Request-ID"]] for one in (first, second))
    assert (fresh["wrote"], fresh["status"], fresh["path"]) == (ear.named("message")[0].id, 201, path)
    assert known["status"] == 200
