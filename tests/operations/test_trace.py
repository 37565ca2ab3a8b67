"""Request ids: a request's id is in its answer and in the log, beside the id of the frame that readers got."""

import orjson

from chat.middleware import FORM
from tests.cast import Cast
from tests.nodes import Node
from tests.promises.conftest import StartNode, stage, start_node

__all__ = ["stage", "start_node"]


async def test_from_post_to_log_to_frame(stage: Cast, start_node: StartNode) -> None:
    """The id is the proxy's or a new one; the log names the frame that Ben receives; invalid ids are replaced."""
    node = await start_node("a1", LOG_REQUESTS="all", TRUSTED_PROXIES="127.0.0.1")
    ana, ben = await stage.enters("ana", "ben")
    ana.at = ben.at = node.url
    room = await stage.share(ana, ben)
    reader = await ben.listens()
    path = f"/api/chat/conversations/{room}/messages"
    draft = {"body": "hello", "client_id": "c1"}
    _, _, first = await ana.asks("POST", path, draft, headers={"X-Request-ID": "proxy-7"})
    _, _, second = await ana.asks("POST", path, draft, headers={"X-Request-ID": "a b"})
    await reader.hears("hello")
    assert first["X-Request-ID"] == "proxy-7"
    assert " " not in second["X-Request-ID"]
    lines = [
        orjson.loads(line) for line in node.log.read_text().splitlines() if '"event":"request"' in line.replace(" ", "")
    ]
    (fresh,), (known,) = ([line for line in lines if line["request"] == one["X-Request-ID"]] for one in (first, second))
    assert (fresh["wrote"], fresh["status"], fresh["path"]) == (reader.named("message")[0].id, 201, path)
    assert known["status"] == 200


async def test_a_strangers_id_is_replaced(cast: Cast, node: Node) -> None:
    """Only a trusted proxy may name a request; mallory cannot make hers look like another one in the log."""
    for given in ("proxy-7", "a" * 65, "x\u202ey".encode().decode("latin-1"), "a b", "a;b"):
        async with cast.http.get(node.url + "/health/live", headers={"X-Request-ID": given}) as answer:
            assert FORM.fullmatch(answer.headers["X-Request-ID"])
            assert answer.headers["X-Request-ID"] != given
