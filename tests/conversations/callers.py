"""Callers and routes: a private conversation that some users have left, and every call that they may try.

Paths, queries and bodies are filled in by name. A route with a path parameter, query parameter or body that is not
named here fails the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from string import Formatter
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp

from chat.api_schema.introspection import read_handler
from chat.api_schema.openapi import OPEN_CALLS, is_described, plain
from chat.app import ROUTES
from chat.shared.route import Operation
from chat.stream.endpoints import CURSOR_NAMES
from tests.cast import Person
from tests.files.sending import posts, sends
from tests.verbs import (
    CONVERSATIONS,
    answers,
    begins,
    deletes,
    edits,
    pins,
    reacts,
    removes_member,
    sees,
    sets_member,
    tries,
)

EMOJI = "🦖"
WORDS = ("MARKER", EMOJI, EMOJI.encode("utf-16-be").hex())
ENDING = "delete_me"  # it deletes the caller
SOCKETS = {"get_stream_socket", "get_socket"}
ENDLESS = {"get_mcp"}  # a stream, of which the first piece is read

# Query parameters that choose where a page starts, tickets, which tests/presence uses, and what is asked apart.
LEFT_OUT = {
    "*",
    "conversations",
    *CURSOR_NAMES,
    "before",
    "after",
    "around",
    "limit",
    "since",
    "until",
    "messages",
    "ticket",
    "action",
    "user",
    "from",
    "preview",
    "still",
    "name",
    "kind",
    "code",
    "error",
    "iss",
    "type",
    "role",
}
BODIES: dict[str, dict[str, Any]] = {
    "put_announcement": {"body": "let me in"},
    "post_user_group": {"name": "mine"},
    "patch_user_group": {"name": "mine"},
    "put_user_group_members": {"users": []},
    "post_account": {"name": "x"},
    "post_session": {"name": "x", "password": "x"},
    "post_invite": {},
    "post_mailed_invites": {"emails": ["mallory@example.com"]},
    "post_invite_preview": {"code": "x"},
    "post_setup": {"token": "x", "team": "mine now", "name": "x", "password": "x"},
    "patch_team": {"name": "mine now"},
    "patch_me": {"about": "curious"},
    "put_password": {"old": "x", "new": "x"},
    "put_disabled": {"disabled": True},
    "post_proof": {"password": "x"},
    "post_second": {"challenge": "x" * 43, "totp": "123456"},
    "post_login": {"challenge": "x" * 43, "passkey": {}},
    "put_totp": {"totp": "123456"},
    "post_passkey": {"challenge": "x" * 43, "passkey": {}, "name": "mine now"},
    "patch_passkey": {"name": "mine now"},
    "put_role": {"role": "admin"},
    "put_external_user": {"display_name": "mine now"},
    "post_user_session": {},
    "put_external": {"topic": "mine now"},
    "put_members": {"users": []},
    "post_reset": {},
    "post_oidc_login": {"purpose": "proof"},
    "post_key": {"name": "mine", "scopes": ["admin"]},
    "post_new_password": {"token": "x", "new": "brass-lantern-71-violet"},
    "post_message": {"body": "let me in", "client_id": "1"},
    "post_messages": {"messages": [{"conversation": 1, "body": "let me in", "client_id": "2"}]},
    "post_conversation": {"kind": "group"},
    "patch_conversation": {"topic": "mine now"},
    "put_read_mark": {"seq": 1},
    "put_read_marks": {"marks": [{"conversation": 1, "seq": 1}]},
    "put_sidebar": {"version": 0, "sections": [{"id": one} for one in ("starred", "channels", "direct")]},
    "put_notifications": {"level": "nothing"},
    "put_membership": {"role": "member"},
    "put_authors": {"names": ["ana"]},
    "patch_message": {"body": "mine now"},
    "post_append": {"at": 0, "text": "mine now"},
    "post_finish": {"state": "complete"},
    "put_thread_mark": {"seq": 1},
    "put_saved": {},
    "put_activity_mark": {"at": "2026-01-01T00:00:00Z"},
    "put_ban": {"reason": "mine now"},
    "post_link": {},
    "post_join": {"code": "x"},
    "post_report": {"reason": "rude"},
    "patch_report": {"outcome": "acted"},
    "put_drain": {"draining": True},
    "post_hook": {"name": "mine now"},
    "post_outgoing_hook": {"url": "https://203.0.113.1/x"},
    "patch_outgoing_hook": {"enabled": False},
    "patch_hook": {"enabled": False},
    "post_delivery": {"body": "let me in"},
    "post_mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "read"}},
    "post_command": {"command": "mute", "client_id": "1"},
    "post_scheduled": {"conversation": 1, "body": "mine now", "client_id": "1", "at": "2027-06-01T09:00:00Z"},
    "patch_scheduled": {"body": "mine now"},
    "post_reminder": {"text": "mine now", "at": "2029-01-01T09:00:00Z"},
    "patch_reminder": {"text": "mine now"},
    "put_email": {"address": "mallory@example.com"},
    "post_email_code": {"code": "00000000"},
    "patch_email": {"wanted": False},
    "post_push_subscription": {
        "endpoint": "https://push.example/mallory",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
    "post_import": {"file": 1},
    "post_import_start": {},
}


@dataclass
class Room:
    """A private conversation with its contents, and texts that were written after some members had left."""

    id: int
    owner: Person
    parts: dict[str, object] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=lambda: list(WORDS))

    def finds_secret(self, heard: bytes) -> str:
        """Return the first of these texts that is in the bytes."""
        text = heard.decode(errors="replace").lower()
        return next((word for word in self.secrets if word.lower() in text), "")

    async def looks(self) -> list[object]:
        """Return everything in it, as its owner sees it."""
        paths = ("", "/members", "/messages", "/bans", "/links", "/incoming-hooks", "/hooks", "/pins")
        paths += ("/messages/1/replies",)
        return [await self.owner.call("GET", f"{CONVERSATIONS}/{self.id}{path}") for path in paths]


@dataclass(frozen=True)
class Call:
    """One call of a user."""

    route: Operation
    method: str
    path: str
    body: dict[str, Any] | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


async def furnishes(kind: str, ana: Person, ben: Person, chloe: Person, dora: Person) -> Room:
    """Create a conversation in which Ben is an admin and Chloe a member, and both have posted."""
    name = "plans" if kind == "channel" else ""
    room = Room(await begins(ana, kind, name, ben, chloe, dora, **({"private": True} if name else {})), ana)
    assert (await sets_member(ana, room.id, ben, "admin"))[0] == 200
    for person in (ana, ben, chloe):
        await person.says(room.id, f"words of {person.name} from before")
    await answers(ben, room.id, 1, "a reply from before")
    await reacts(ben, room.id, 1, "👍")
    assert (await ben.call("PUT", f"{CONVERSATIONS}/{room.id}/messages/1/follow"))[0] == 204
    return room


async def loses(room: Room, ben: Person, chloe: Person) -> None:
    """Remove Ben and ban Chloe."""
    assert (await removes_member(room.owner, room.id, ben))[0] == 204
    ban = f"{CONVERSATIONS}/{room.id}/bans/{chloe.id}"
    assert await tries(room.owner, "PUT", ban, {"reason": "MARKER reason"}) == (204, "")


async def goes_on(room: Room, kind: str, dora: Person) -> None:
    """Do everything that can happen in a conversation, with texts that former members must not see."""
    ana, place = room.owner, f"{CONVERSATIONS}/{room.id}"
    await edits(ana, room.id, 1, "MARKER edited")
    for change in ({"name": f"MARKER {kind}"}, {"topic": "MARKER topic"}):
        assert (await ana.call("PATCH", place, change))[0] == 200
    await ana.says(room.id, "MARKER said")
    await answers(dora, room.id, 1, "MARKER replied")
    for seq in (1, 2, 3):
        await reacts(dora, room.id, seq, EMOJI)
        await pins(ana, room.id, seq)
    await deletes(ana, room.id, 4)
    file = await sends(ana, b"MARKER in a file", "MARKER.txt")
    await posts(ana, room.id, file, body="MARKER file")
    _, link = await ana.call("POST", f"{place}/links", {})
    _, report = await dora.call("POST", f"{place}/messages/1/reports", {"reason": "MARKER report"})
    _, sessions = await ana.call("GET", "/api/sessions")
    room.secrets.append(link["code"])
    room.parts = {"link": link["id"], "report": report["id"], "file": file["id"], "name": file["name"]}
    room.parts |= {"session": sessions["sessions"][0]["id"], "conversation": room.id, "user": ana.id}


def list_calls(room: Room, cursor: str) -> Iterator[Call]:
    """Return every call of every route, reads first, because a change could hide something from a later read."""
    known = room.parts | {"emoji": quote("👍"), "node": "a1", "avatar": 1, "passkey": 1, "address": "c/1"}
    known |= {"key": 1, "import": 1, "invite": 1, "hook": 1, "reminder": 1, "delivery": 1, "scheduled": 1, "group": 1}
    known |= {"custom_emoji": 1}
    known |= {"secret": "x" * 43, "external_id": "order-1"}
    words = {"q": "MARKER", "ids": room.owner.id, "users": room.owner.id, "conversation": room.id, "state": "all"}
    words |= {
        "presence": 1,
        "done": 0,
        "undo": 1,
        "messages": f"{room.id}.1",
        "forwards": f"{room.id}.1",
        "poll": 0,
        "minutes": 5,
        "status": "all",
        "node": "a1",
        "zone": "Europe/Berlin",
        "next": "/",
        "url": "https://example.org/",
    }
    for route in sorted(ROUTES["all"], key=lambda one: (one.method != "GET", one.path)):
        reading, name = read_handler(route.handler), route.handler.__name__
        assert not reading.body or name in BODIES, f"tests/conversations/callers.py knows no body for {name}"
        asked = {} if name in SOCKETS else {word: words[word] for word in route.query - LEFT_OUT}
        if name == "get_stream":
            asked |= {"after": cursor}
        for path in fill(plain(route.path), known):
            for narrow in ({}, {"conversations": room.id}) if "conversations" in route.query else ({},):
                query = urlencode(asked | narrow)
                yield Call(route, route.method, f"{path}?{query}" if query else path, BODIES.get(name))


def fill(path: str, known: dict[str, object]) -> Iterator[str]:
    """Return the path with its parameters; a seq is an edited and a deleted message, and a user also the caller."""
    names = [name for _, name, _, _ in Formatter().parse(path) if name]
    more = {"seq": (1, 4), "user": (known["user"], "me") if "{conversation}" in path else (known["user"],)}
    for values in product(*(more.get(name) or (known[name],) for name in names)):
        yield path.format(**dict(zip(names, values, strict=True)))


def needs_identity(call: Call) -> bool:
    """Return whether only users may make this call."""
    is_open = (call.method, call.route.path) in OPEN_CALLS or not call.route.path.startswith("/api/")
    return is_described(call.route.path) and not is_open


async def makes(http: aiohttp.ClientSession, person: Person, call: Call) -> tuple[int, bytes]:
    """Make the call; return the status, and every byte of the answer with its head."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with http.request(call.method, person.at + call.path, json=call.body, headers=headers) as answer:
        endless = answer.status == 200 and call.route.handler.__name__ in ENDLESS
        body = await (answer.content.readany() if endless else answer.read())
        return answer.status, str(answer.raw_headers).encode() + body


async def cursor_of(person: Person) -> str:
    """Return the log's current cursor."""
    return str((await sees(person))["cursor"])
