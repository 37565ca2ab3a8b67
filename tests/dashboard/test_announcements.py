"""Announcements reach everyone, on every node and later, until they end."""

import asyncio
from typing import Any

import pytest

from tests.cast import Cast, Person
from tests.dashboard.looking import audited
from tests.nodes import Node
from tests.waiting import eventually

PATH = "/api/announcement"


async def stands(person: Person) -> Any:
    """Return the announcement above the user's conversations."""
    status, answer = await person.call("GET", PATH)
    assert status == 200
    return answer["announcement"]


async def test_received_on_every_node_and_later(cast: Cast, ada: Person, other: Node) -> None:
    """It is in the streams of both nodes, in a replay, and in later snapshots; the next one replaces it."""
    ana, ben, mallory = await cast.enters("ana", "ben", "mallory")
    ben.at = other.url
    readers = [await ana.listens(), await ben.listens()]
    before = readers[0].named("ready")[0].id
    status, made = await ada.call("PUT", PATH, {"body": "Back in five minutes"})
    assert status == 201
    await ada.call("PUT", PATH, {"body": "Back in ten minutes"})
    assert (await ada.call("DELETE", PATH))[0] == 204
    for reader in [*readers, await ana.listens(last_event_id=before)]:
        await eventually(lambda reader=reader: len(reader.named("announcement")) == 3)
        said = [one.json()["announcement"] for one in reader.named("announcement")]
        assert said[0] == made["announcement"]
        assert [one and one["body"] for one in said] == ["Back in five minutes", "Back in ten minutes", None]
    assert await stands(mallory) is None
    ids = [made["announcement"]["id"], said[1]["id"]]
    assert await audited(ada) == [
        ("announcement.end", None, {"id": ids[1]}),
        ("announcement.make", None, {"id": ids[1], "body": "Back in ten minutes"}),
        ("announcement.make", None, {"id": ids[0], "body": "Back in five minutes"}),
    ]


async def test_the_last_of_two_announcements_is_shown(cast: Cast, ada: Person) -> None:
    """Of two at the same moment, the one received last is shown; withdrawing none is harmless."""
    (ana,) = await cast.enters("ana")
    reader = await ana.listens()
    await asyncio.gather(*(ada.call("PUT", PATH, {"body": f"number {n}"}) for n in range(5)))
    await eventually(lambda: len(reader.named("announcement")) == 5)
    assert await stands(ana) == reader.named("announcement")[-1].json()["announcement"]
    for _ in range(2):
        assert (await ada.call("DELETE", PATH))[0] == 204
    assert len([row for row in await audited(ada) if row[0] == "announcement.end"]) == 1


@pytest.mark.parametrize(
    "body", [{"body": ""}, {"body": "  "}, {"body": "x" * 501}, {"body": "a\0b"}, {}, {"text": "x"}]
)
async def test_invalid_announcements_are_refused(ada: Person, body: dict[str, str]) -> None:
    """An empty, too long or invalid announcement is refused."""
    status, problem = await ada.call("PUT", PATH, body)
    assert (status, problem["code"]) == (422, "invalid")


async def test_only_admins_announce(cast: Cast, ada: Person) -> None:
    """Only admins announce; others read."""
    (mallory,) = await cast.enters("mallory")
    await ada.call("PUT", PATH, {"body": "hello"})
    for method, body in (("PUT", {"body": "mine"}), ("DELETE", None)):
        status, problem = await mallory.call(method, PATH, body)
        assert (status, problem["code"]) == (403, "admins_only")
    assert (await stands(mallory))["body"] == "hello"
