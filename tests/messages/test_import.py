"""Posting for other authors and with past times, as an integration does through the batch."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast, Person
from tests.verbs import begins, pages, sees

LONG_AGO = "2019-03-01T08:15:30.250Z"


async def imports(person: Person, conversation: int, **more: Any) -> tuple[int, Any]:
    """Post one message by batch; return its status, and the message or the problem."""
    draft = {"conversation": conversation, "body": "long ago", "client_id": "old-1"} | more
    status, said = await person.call("POST", "/api/chat/messages", {"messages": [draft]})
    assert status == 200, said
    (result,) = said["results"]
    return result["status"], result.get("message") or result["problem"]


async def test_an_admin_posts_with_authors_and_times(cast: Cast) -> None:
    """The message has its author and time everywhere, and its place at the end, like all new messages."""
    ana, ben = [(await cast.enters(name, role=role))[0] for name, role in (("ana", "admin"), ("ben", "member"))]
    room = await begins(ana, "channel", "archive", ben)
    cursor = (await sees(ben))["cursor"]
    await ana.says(room, "today")
    status, message = await imports(ana, room, author=ben.id, created_at=LONG_AGO)
    assert (status, message["author"], message["created_at"], message["seq"]) == (201, ben.id, LONG_AGO, 2)
    assert await imports(ana, room, author=ben.id, created_at=LONG_AGO) == (200, message)
    assert (await pages(ben, room))["messages"][-1] == message
    reader = await ben.listens(after=cursor)
    await reader.hears("today", "long ago")
    assert reader.messages()[-1] == message


async def test_posting_for_others_is_recorded(cast: Cast) -> None:
    """One event for each batch and conversation has the count, without refused messages and the admin's own."""
    ana, ben = [(await cast.enters(name, role=role))[0] for name, role in (("ana", "admin"), ("ben", "member"))]
    room, foreign = await begins(ana, "channel", "archive", ben), await begins(ben, "channel", "foreign", ana)
    await imports(ana, room, author=ben.id)
    await imports(ana, room, client_id="own")
    await imports(ana, foreign, author=ben.id)
    rows = (await ana.call("GET", "/api/audit"))[1]["rows"]
    noted = [(one["actor"], one["detail"]) for one in rows if one["action"] == "messages.import"]
    assert noted == [(ana.id, {"conversation": room, "messages": 1})]


async def test_only_admins_of_the_conversation_post_for_others(cast: Cast) -> None:
    """Neither a member, nor an admin who cannot see or manage the conversation, may do it."""
    ana, ben = [(await cast.enters(name, role=role))[0] for name, role in (("ana", "admin"), ("ben", "member"))]
    (chloe,) = await cast.enters("chloe")
    room, theirs = await begins(ben, "channel", "room", ana), await begins(ben, "group", "", chloe)
    assert (await imports(ben, room, created_at=LONG_AGO))[1]["code"] == "admins_only"
    assert (await imports(ben, room, author=ana.id))[1]["code"] == "admins_only"
    assert (await imports(ana, room, author=ben.id))[1]["code"] == "forbidden"
    assert (await imports(ana, theirs, author=ben.id))[1]["code"] == "not_found"
    own = await begins(ana, "channel", "own")
    assert (await imports(ana, own, author=ben.id))[0] == 403


@pytest.mark.parametrize("moment", ["yesterday", "2019-03-01T08:15:30", "1969-12-31T23:59:59Z", 1551428130, True, ""])
async def test_an_invalid_time_is_refused(cast: Cast, moment: object) -> None:
    """A time without a zone is refused."""
    (ana,) = await cast.enters("ana", role="admin")
    room = await begins(ana, "channel", "archive")
    status, problem = await imports(ana, room, created_at=moment)
    assert (status, problem["errors"][0]["field"]) == (422, "created_at")


async def test_a_future_time_becomes_now(cast: Cast) -> None:
    """A time in the future becomes now."""
    (ana,) = await cast.enters("ana", role="admin")
    room = await begins(ana, "channel", "archive")
    status, message = await imports(ana, room, created_at="9999-12-31T23:59:59-14:00")
    assert status == 201
    assert datetime.fromisoformat(message["created_at"]) < datetime.now(UTC) + timedelta(hours=1)
