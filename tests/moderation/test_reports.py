"""Reports: from any reader of a message to its moderators."""

from tests.cast import Cast, Person
from tests.verbs import CONVERSATIONS, begins, tries


async def reports(person: Person, conversation: int, seq: int, reason: str = "rude") -> tuple[int, int]:
    """Report a message; return the status and the report's id."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{seq}/reports"
    status, said = await person.call("POST", path, {"reason": reason})
    return status, said.get("id", 0)


async def queue(person: Person, state: str = "open") -> list[dict[str, object]]:
    """Return the reports that the user may resolve."""
    status, said = await person.call("GET", f"/api/chat/reports?state={state}")
    assert status == 200, said
    return list(said["reports"])


async def test_a_report_reaches_moderators(cast: Cast, ana: Person, ben: Person, chloe: Person) -> None:
    """The report arrives at once by the log with the text as it was; a user reports a message once."""
    (root,) = await cast.enters("root", role="admin")
    room = await begins(ana, "channel", "street", ben, chloe)
    readers = [await person.listens() for person in (ana, root, ben)]
    await ben.says(room, "you fool")
    status, report = await reports(chloe, room, 1)
    assert (status, await reports(chloe, room, 1)) == (201, (200, report))
    told = {"id": report, "conversation": room, "seq": 1, "state": "open"}
    for reader in readers[:2]:
        assert (await reader.hears_event("report")).json() == told
    await readers[2].hears("you fool")
    assert readers[2].named("report") == []
    await tries(ben, "DELETE", f"{CONVERSATIONS}/{room}/messages/1")
    for judge in (ana, root):
        (one,) = await queue(judge)
        assert (one["body"], one["author"], one["reporter"], one["reason"]) == ("you fool", ben.id, chloe.id, "rude")
    assert await queue(ben) == await queue(chloe) == []


async def test_a_report_is_resolved_once(ana: Person, ben: Person, mallory: Person) -> None:
    """A resolved report leaves the queue, and all moderators see it."""
    room = await begins(ana, "channel", "street", ben)
    await ben.says(room, "you fool")
    _, report = await reports(ben, room, 1)
    here, reader = f"/api/chat/reports/{report}", await ana.listens()
    outcome = {"outcome": "acted", "note": "talked to him"}
    assert await tries(mallory, "PATCH", here, outcome) == (404, "not_found")
    assert await tries(ben, "PATCH", here, outcome) == (404, "not_found")
    assert await tries(ana, "PATCH", here, {"outcome": "shot"}) == (422, "invalid")
    status, said = await ana.call("PATCH", here, outcome)
    assert (status, said["outcome"], said["note"], said["resolved_by"]) == (200, "acted", "talked to him", ana.id)
    assert (await reader.hears_event("report")).json()["state"] == "acted"
    assert await tries(ana, "PATCH", here, outcome) == (409, "resolved")
    assert (await queue(ana), len(await queue(ana, "resolved")), len(await queue(ana, "all"))) == ([], 1, 1)


async def test_server_admins_judge_direct_conversations(cast: Cast, ana: Person, ben: Person) -> None:
    """The two users of a direct conversation cannot judge each other, so server admins do."""
    (root,) = await cast.enters("root", role="admin")
    room = await begins(ana, "direct", "", ben)
    await ben.says(room, "you fool")
    assert (await reports(ana, room, 1))[0] == 201
    assert [one["body"] for one in await queue(root)] == ["you fool"]
    assert await queue(ana) == await queue(ben) == []


async def test_only_readable_messages_can_be_reported(ana: Person, ben: Person, mallory: Person) -> None:
    """Messages that the user cannot read, or that do not exist, cannot be reported."""
    secret = await begins(ana, "group", "", ben)
    await ana.says(secret, "between us")
    assert (await reports(mallory, secret, 1))[0] == 404
    assert (await reports(ben, secret, 2))[0] == 404
    assert await tries(ben, "POST", f"{CONVERSATIONS}/{secret}/messages/1/reports", {"reason": ""}) == (422, "invalid")
