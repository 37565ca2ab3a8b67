"""What people do with conversations, a verb each: every one is one call that is expected to succeed."""

import uuid
from typing import Any
from urllib.parse import quote

from tests.cast import Person

CONVERSATIONS = "/api/chat/conversations"
Json = dict[str, Any]


async def begins(person: Person, kind: str, name: str = "", *others: Person, **more: Any) -> int:
    """A conversation with these others; its id."""
    draft = {"kind": kind, "members": [other.id for other in others], **({"name": name} if name else {}), **more}
    status, made = await person.call("POST", CONVERSATIONS, draft)
    assert status in (200, 201), made
    return int(made["id"])


async def sees(person: Person) -> Json:
    """Everything the person is in, and the cursor."""
    status, seen = await person.call("GET", CONVERSATIONS)
    assert status == 200, seen
    return dict(seen)


async def opens(person: Person, conversation: int) -> Json:
    """One conversation as the person sees it."""
    status, seen = await person.call("GET", f"{CONVERSATIONS}/{conversation}")
    assert status == 200, seen
    return dict(seen)


async def pages(person: Person, conversation: int, query: str = "") -> Json:
    """A page of history."""
    status, page = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages?{query}")
    assert status == 200, page
    return dict(page)


async def marks_read(person: Person, conversation: int, seq: int) -> None:
    """The person has read up to there."""
    status, _ = await person.call("PUT", f"{CONVERSATIONS}/{conversation}/read", {"seq": seq})
    assert status == 204


async def seats(person: Person, conversation: int, whom: Person | str, role: str | None = None) -> tuple[int, Json]:
    """Bring someone in, or give a role; the status and what was said, for it may well be refused."""
    path = f"{CONVERSATIONS}/{conversation}/members/{whom if isinstance(whom, str) else whom.id}"
    status, said = await person.call("PUT", path, {"role": role} if role else {})
    return status, dict(said)


async def unseats(person: Person, conversation: int, whom: Person | str) -> tuple[int, str]:
    """Send someone away, or go; the status, and the code of a refusal."""
    path = f"{CONVERSATIONS}/{conversation}/members/{whom if isinstance(whom, str) else whom.id}"
    status, said = await person.call("DELETE", path)
    return status, said["code"] if said else ""


async def members_of(person: Person, conversation: int) -> dict[int, str]:
    """Who is in (the first page), as what."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{conversation}/members")
    assert status == 200, said
    return {one["user"]: one["role"] for one in said["members"]}


async def tries(person: Person, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """A call that may be refused: the status, and the code of a refusal."""
    status, said = await person.call(method, path, body)
    return status, said.get("code", "") if said else ""


async def edits(person: Person, conversation: int, seq: int, body: str, **more: Any) -> Json:
    """Say this instead; the message as it is then."""
    status, said = await person.call("PATCH", f"{CONVERSATIONS}/{conversation}/messages/{seq}", {"body": body, **more})
    assert status == 200, said
    return dict(said["message"])


async def deletes(person: Person, conversation: int, seq: int) -> None:
    """Take it back."""
    assert await tries(person, "DELETE", f"{CONVERSATIONS}/{conversation}/messages/{seq}") == (204, "")


async def reads(person: Person, conversation: int, seq: int) -> Json:
    """One message."""
    status, said = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages/{seq}")
    assert status == 200, said
    return dict(said["message"])


async def reacts(person: Person, conversation: int, seq: int, emoji: str, on: bool = True) -> None:
    """Put an emoji under it, or take one's own away."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{seq}/reactions/{quote(emoji)}"
    assert await tries(person, "PUT" if on else "DELETE", path) == (204, "")


async def pins(person: Person, conversation: int, seq: int, on: bool = True) -> None:
    """Pin it, or unpin it."""
    path = f"{CONVERSATIONS}/{conversation}/pins/{seq}"
    assert await tries(person, "PUT" if on else "DELETE", path) == (204, "")


async def answers(person: Person, conversation: int, root: int, body: str, **more: Any) -> Json:
    """Reply in the thread of `root`; the message."""
    draft = {"body": body, "client_id": uuid.uuid4().hex, "thread": root, **more}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{conversation}/messages", draft)
    assert status == 201, said
    return dict(said["message"])


async def follows(person: Person, conversation: int, root: int, on: bool = True) -> None:
    """Follow a thread, or leave it be."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{root}/follow"
    assert await tries(person, "PUT" if on else "DELETE", path) == (204, "")


async def threads_of(person: Person) -> list[Json]:
    """What the person follows."""
    status, said = await person.call("GET", "/api/chat/threads")
    assert status == 200, said
    return list(said["threads"])


async def opens_thread(person: Person, conversation: int, root: int, query: str = "") -> Json:
    """A page of a thread."""
    status, page = await person.call("GET", f"{CONVERSATIONS}/{conversation}/messages/{root}/replies?{query}")
    assert status == 200, page
    return dict(page)


async def marks_thread(person: Person, conversation: int, root: int, seq: int) -> None:
    """The person has read the thread up to there."""
    path = f"{CONVERSATIONS}/{conversation}/messages/{root}/replies/read"
    assert await tries(person, "PUT", path, {"seq": seq}) == (204, "")
