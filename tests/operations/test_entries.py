"""Log entries in the API's description: every kind, as its addressees receive it."""

import ast
from datetime import UTC, datetime, timedelta

from chat.api_schema.stream_events import ENTRIES, EventsModel
from chat.log.entry import EVENTS
from tests.cast import Cast, Person
from tests.files.sending import picture
from tests.test_architecture import ROOT
from tests.verbs import CONVERSATIONS, Json, begins, blocks, removes_member, sees, sets_member
from tests.waiting import eventually

TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

# Ben's actions in a conversation of ana's, by path.
CHANGES: list[tuple[str, str, Json | None]] = [
    ("PUT", "/messages/1/reactions/👍", None),
    ("PUT", "/pins/1", None),
    ("PUT", "/messages/1/follow", None),
    ("DELETE", "/messages/1/follow", None),
    ("PUT", "/messages/1/saved", {}),
    ("PUT", "/read", {"seq": 1}),
    ("PUT", "/notifications", {"level": "mentions"}),
    ("POST", "/messages/1/reports", {"reason": "rude"}),
    (
        "PUT",
        "/api/chat/sidebar",
        {"version": 0, "sections": [{"id": one} for one in ("starred", "channels", "direct")]},
    ),
    ("POST", "/api/chat/scheduled", {"body": "soup", "client_id": "s1", "at": TOMORROW, "conversation": 1}),
    ("PATCH", "/api/users/me", {"about": "cooks", "receipts": "off", "keywords": ["carrots"]}),
]


async def test_entries_are_as_described(cast: Cast) -> None:
    """Every kind of entry is received as described."""
    ana, ben = *await cast.enters("ana", role="admin"), *await cast.enters("ben")
    cursors = [(person, (await sees(person))["cursor"]) for person in (ana, ben)]
    room = await begins(ana, "channel", "kitchen", ben)
    await ana.says(room, "Shall we cook, @ben?")
    await ana.says(room, "@channel soup")
    for method, path, body in CHANGES:
        status, said = await ben.call(method, path if path[:4] == "/api" else f"{CONVERSATIONS}/{room}{path}", body)
        assert status in (200, 201, 204), (path, said)
    for method, path, body in (("PATCH", "/messages/1", {"body": "Shall we?"}), ("DELETE", "/messages/2", None)):
        assert (await ana.call(method, f"{CONVERSATIONS}/{room}{path}", body))[0] in (200, 204)
    await streams_text(ana, ben, room)
    await ana.says(room, "carrots")

    async def is_called() -> bool:
        return "keyword" in {event["event"] for event in await hears(ben, cursors[1][1])}

    await eventually(is_called)
    await blocks(ben, ana, on=True)
    await sets_member(ana, room, ben, "admin")
    before = await hears(ben, cursors[1][1])  # afterwards they may no longer read the conversation's entries
    await removes_member(ben, room, "me")
    assert (await ana.call("PUT", "/api/announcement", {"body": "Back soon"}))[0] == 201
    assert (await ana.call("POST", "/api/groups", {"name": "design", "users": [ben.id]}))[0] == 201
    assert (await ana.call("POST", "/api/emoji?name=party-parrot", data=picture()))[0] == 201
    heard = [*before, *[event for person, cursor in cursors for event in await hears(person, cursor)]]
    for event in heard:
        ENTRIES[event["event"]].model_validate(event["data"])
    # with STRANGERS=add there are no invitations: tests/conversations/test_invitations.py checks that entry
    # previews are off by default: tests/messages/test_previews.py checks theirs
    assert {event["event"] for event in heard} == set(ENTRIES) - {"invitation", "previews"}


async def streams_text(author: Person, reader: Person, room: int) -> None:
    """Write a streamed message, and let the reader ask to stop it."""
    draft = {"body": "", "client_id": "streamed", "streaming": True}
    status, posted = await author.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert status == 201
    place = f"{CONVERSATIONS}/{room}/messages/{posted['message']['seq']}"
    assert (await author.call("POST", f"{place}/append", {"at": 0, "text": "once upon"}))[0] == 200
    assert (await reader.call("POST", f"{place}/stop"))[0] == 202
    assert (await author.call("POST", f"{place}/finish", {"state": "cancelled"}))[0] == 200


async def hears(person: Person, cursor: str) -> list[Json]:
    """Return all later entries."""
    status, said = await person.call("GET", f"/api/chat/stream?poll=0&after={cursor}")
    assert status == 200
    EventsModel.model_validate(said)
    return list(said["events"])


def test_every_kind_of_entry_is_described() -> None:
    """Every kind that the code records is described."""
    texts = [text for path in (ROOT / "chat").rglob("*.py") if "Unplaced(" in (text := path.read_text())]
    calls = [node for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    kinds = [call.args[0] for call in calls if ast.unparse(call.func) == "Unplaced" and call.args]
    named = {str(kind.value) for kind in kinds if isinstance(kind, ast.Constant)}
    assert len(named) > 10
    assert {EVENTS.get(kind, kind) or "message" for kind in named} <= set(ENTRIES)
