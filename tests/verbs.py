"""Actions of users on conversations, one verb each: every one is one call that must succeed."""

import uuid
from typing import Any
from urllib.parse import quote

from tests.cast import Person

CONVERSATIONS = "/api/chat/conversations"
Json = dict[str, Any]


async def begins(person: Person, kind: str, name: str = "", *others: Person, **more: Any) -> int:
    """Create a conversation with these users; return its id."""
    draft = {"kind": kind, "members": [other.id for other in others], **({"name": name} if name else {}), **more}
    status, made = await person.call("POST", CONVERSATIONS, draft)
    assert status in (200, 201), made
    return int(made["id"])


async def sees(person: Person) -> Json:
    """Return the user's conversations, and the cursor."""
    status, seen = await person.call("GET", CONVERSATIONS)
    assert status == 200, seen
    return dict(seen)


async def opens(person: Person, conversation: int) -> Json:
    """Return one conversation as the user sees it."""
    status, seen = await person.call("GET", f"{CONVERSATIONS}/{conversation}")
    assert status == 200, seen
    return dict(seen)


async def pages(person: Person, conversation: int, query: str = "") -> Json:
    """Return a page of history."""
    status, page = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages?{query}")
    assert status == 200, page
    return dict(page)


async def marks_read(person: Person, conversation: int, seq: int) -> None:
    """Mark the conversation as read up to there."""
    status, _ = await person.call("PUT", f"{CONVERSATIONS}/{conversation}/read", {"seq": seq})
    assert status == 204


async def marks_unread(person: Person, conversation: int, after: int, on: bool = True) -> None:
    """Ask that the messages after a seq are unread, or that everything up to it is read."""
    body = {"seq": after, "unread": on}
    assert await tries(person, "PUT", f"{CONVERSATIONS}/{conversation}/read", body) == (204, "")


async def saves(person: Person, conversation: int, seq: int, **state: bool) -> None:
    """Save a message for later."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{seq}/saved"
    assert await tries(person, "PUT", path, state) == (204, "")


async def saved_by(person: Person, query: str = "") -> list[tuple[int, int]]:
    """Return the conversation and the seq of each saved message, the latest saved first."""
    status, said = await person.call("GET", f"/api/chat/saved?{query}")
    assert status == 200, said
    return [(one["message"]["conversation"], one["message"]["seq"]) for one in said["saved"]]


async def sets_member(
    person: Person, conversation: int, whom: Person | str, role: str | None = None
) -> tuple[int, Json]:
    """Add a user, or give a role; return the status and the answer, which may be a refusal."""
    path = f"{CONVERSATIONS}/{conversation}/members/{whom if isinstance(whom, str) else whom.id}"
    status, said = await person.call("PUT", path, {"role": role} if role else {})
    return status, dict(said)


async def removes_member(person: Person, conversation: int, whom: Person | str) -> tuple[int, str]:
    """Remove a user, or leave; return the status and the error code."""
    path = f"{CONVERSATIONS}/{conversation}/members/{whom if isinstance(whom, str) else whom.id}"
    status, said = await person.call("DELETE", path)
    return status, said["code"] if said else ""


async def members_of(person: Person, conversation: int) -> dict[int, str]:
    """Return the first page of members, with their roles."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{conversation}/members")
    assert status == 200, said
    return {one["user"]: one["role"] for one in said["members"]}


async def tries(person: Person, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Make a call that may be refused; return the status and the error code."""
    status, said = await person.call(method, path, body)
    return status, said.get("code", "") if said else ""


async def edits(person: Person, conversation: int, seq: int, body: str, **more: Any) -> Json:
    """Edit a message; return the new one."""
    status, said = await person.call("PATCH", f"{CONVERSATIONS}/{conversation}/messages/{seq}", {"body": body, **more})
    assert status == 200, said
    return dict(said["message"])


async def deletes(person: Person, conversation: int, seq: int) -> None:
    """Delete a message."""
    assert await tries(person, "DELETE", f"{CONVERSATIONS}/{conversation}/messages/{seq}") == (204, "")


async def reads(person: Person, conversation: int, seq: int) -> Json:
    """Return one message."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages/{seq}")
    assert status == 200, said
    return dict(said["message"])


async def reacts(person: Person, conversation: int, seq: int, emoji: str, on: bool = True) -> None:
    """Add a reaction to a message, or remove the user's own."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{seq}/reactions/{quote(emoji)}"
    assert await tries(person, "PUT" if on else "DELETE", path) == (204, "")


async def pins(person: Person, conversation: int, seq: int, on: bool = True) -> None:
    """Pin a message, or unpin it."""
    path = f"{CONVERSATIONS}/{conversation}/pins/{seq}"
    assert await tries(person, "PUT" if on else "DELETE", path) == (204, "")


async def answers(person: Person, conversation: int, root: int, body: str, **more: Any) -> Json:
    """Reply in the thread of `root`; return the message."""
    draft = {"body": body, "client_id": uuid.uuid4().hex, "thread": root, **more}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{conversation}/messages", draft)
    assert status == 201, said
    return dict(said["message"])


async def follows(person: Person, conversation: int, root: int, on: bool = True) -> None:
    """Follow a thread, or unfollow it."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{root}/follow"
    assert await tries(person, "PUT" if on else "DELETE", path) == (204, "")


async def threads_of(person: Person) -> list[Json]:
    """Return the threads that the user follows."""
    status, said = await person.call("GET", "/api/chat/threads")
    assert status == 200, said
    return list(said["threads"])


async def opens_thread(person: Person, conversation: int, root: int, query: str = "") -> Json:
    """Return a page of a thread."""
    status, page = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages/{root}/replies?{query}")
    assert status == 200, page
    return dict(page)


async def marks_thread(person: Person, conversation: int, root: int, seq: int) -> None:
    """Mark the thread as read up to there."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{root}/replies/read"
    assert await tries(person, "PUT", path, {"seq": seq}) == (204, "")


async def counts(person: Person, room: int) -> tuple[int, int]:
    """Return `(unread, mentions)` of the conversation, as the user sees it."""
    seen = await opens(person, room)
    return seen["unread"], seen["mentions"]


async def notices(person: Person, room: int, **patch: object) -> tuple[int, str]:
    """Change the user's notification settings."""
    return await tries(person, "PUT", f"{CONVERSATIONS}/{room}/notifications", patch)


async def blocks(person: Person, other: Person, on: bool = True) -> None:
    """Block the other user, or unblock."""
    assert await tries(person, "PUT" if on else "DELETE", f"/api/users/{other.id}/block") == (204, "")


async def receipts_of(person: Person, room: int) -> dict[int, int]:
    """Return how far the others have read."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{room}/receipts")
    assert status == 200, said
    return {one["user"]: one["seq"] for one in said["receipts"]}


async def profiles(person: Person, **patch: object) -> Json:
    """Change the user's profile."""
    status, said = await person.call("PATCH", "/api/users/me", patch)
    assert status == 200, said
    return dict(said)
