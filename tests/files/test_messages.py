"""Messages with files: posted, retried, edited, deleted, batched, received; each file is in one message."""

import asyncio
import uuid

import orjson

from chat.files.endpoints import UPLOADS
from chat.files.models import folder_of
from chat.files.uploads import FileCleanup
from tests.cast import Person
from tests.files.sending import begins_upload, may_read, picture, posts, sends, sends_piece
from tests.nodes import Node
from tests.verbs import CONVERSATIONS, begins, deletes, edits, opens, pages, reads, sees, tries
from tests.waiting import eventually


async def test_every_member_receives_the_file(ana: Person, ben: Person) -> None:
    """Stream, replay, history and the list of conversations have the same bytes; an empty text is fine."""
    room = await begins(ana, "channel", "room", ben)
    start = (await sees(ben))["cursor"]
    reader = await ben.listens()
    file = await sends(ana, picture((640, 480)), "red.png")
    message = await posts(ana, room, file)
    assert message["body"] == ""
    assert message["files"] == [file]
    assert file == {
        "id": file["id"], "name": "red.png", "size": file["size"], "type": "image/png",
        "width": 640, "height": 480, "preview": True,
    }  # fmt: skip
    await eventually(lambda: reader.messages())
    replay = await ben.listens(start)
    await eventually(lambda: replay.messages())
    live, again = ([event for event in one.events if event.event == "message"][-1] for one in (reader, replay))
    assert live.raw == again.raw
    assert orjson.loads(live.data) == message == (await pages(ben, room))["messages"][-1]
    assert (await opens(ben, room))["last_message"] == message


async def test_one_file_one_message(ana: Person, ben: Person) -> None:
    """A file that is in a message, another user's, incomplete or unknown cannot be attached."""
    room = await begins(ana, "channel", "room", ben)
    posted, mine, bens = await sends(ana, b"a"), await sends(ana, b"b"), await sends(ben, b"c")
    await posts(ana, room, posted)
    half = int((await begins_upload(ana, 10)).rpartition("/")[2])
    for wrong in ([posted["id"]], [bens["id"]], [half], [999_999], [mine["id"], 999_999]):
        draft = {"body": "x", "client_id": uuid.uuid4().hex, "files": wrong}
        status, said = await ana.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
        assert (status, said["errors"][0]["field"]) == (422, "files")
    for wrong in ([mine["id"]] * 2, list(range(1, 22)), ["x"], [0]):
        draft = {"body": "x", "client_id": uuid.uuid4().hex, "files": wrong}
        assert await tries(ana, "POST", f"{CONVERSATIONS}/{room}/messages", draft) == (422, "invalid")
    for body in ("", "  \n"):
        draft = {"body": body, "client_id": uuid.uuid4().hex}
        assert await tries(ana, "POST", f"{CONVERSATIONS}/{room}/messages", draft) == (422, "invalid")
    assert (await posts(ana, room, mine))["files"] == [mine]


async def test_a_retry_finds_the_first(ana: Person) -> None:
    """Fifty retries at once, some while the first is in progress, leave one message with the file."""
    room = await begins(ana, "channel", "room")
    file = await sends(ana, b"a")
    draft = {"body": "", "client_id": "same", "files": [file["id"]]}
    tried = [ana.call("POST", f"{CONVERSATIONS}/{room}/messages", draft) for _ in range(50)]
    said = await asyncio.gather(*tried)
    assert sorted(status for status, _ in said) == [200] * 49 + [201]
    assert {orjson.dumps(answer["message"]) for _, answer in said} == {orjson.dumps(said[0][1]["message"])}
    assert (await opens(ana, room))["last_seq"] == 1


async def test_a_batch(ana: Person, ben: Person) -> None:
    """Each message of a batch is checked alone; of two that want the same file the first one gets it."""
    room = await begins(ana, "channel", "room", ben)
    one, two = await sends(ana, b"1"), await sends(ana, b"2")
    wants = [[one["id"]], [one["id"]], [two["id"]], []]
    messages = [{"conversation": room, "body": "x", "client_id": str(n), "files": ids} for n, ids in enumerate(wants)]
    _, said = await ana.call("POST", "/api/chat/messages", {"messages": messages})
    assert [result["status"] for result in said["results"]] == [201, 422, 201, 201]
    assert [message.get("files") for message in (await pages(ben, room))["messages"]] == [[one], [two], None]


async def test_edits_keep_them(ana: Person, ben: Person) -> None:
    """The text of a message with files may be removed, that of one without may not."""
    room = await begins(ana, "channel", "room", ben)
    reader = await ben.listens()
    file = await sends(ana, b"a")
    message = await posts(ana, room, file, body="look")
    edited = await edits(ana, room, message["seq"], "look here")
    assert (edited["body"], edited["files"]) == ("look here", [file])
    assert (await reader.hears_event("edit")).json() == edited
    assert (await edits(ana, room, message["seq"], ""))["files"] == [file]
    plain = await ana.says(room, "plain")
    path = f"{CONVERSATIONS}/{room}/messages/{plain['seq']}"
    assert await tries(ana, "PATCH", path, {"body": " "}) == (422, "invalid")


async def test_files_are_removed_one_by_one(ana: Person, ben: Person, node: Node) -> None:
    """All members receive what stays; a removed file cannot be read, is in no entry, and its bytes are deleted soon."""
    room = await begins(ana, "channel", "room", ben)
    start = (await sees(ben))["cursor"]
    secret, plan, map_ = [await sends(ana, b"a", name) for name in ("secret.txt", "plan.txt", "map.txt")]
    seq = (await posts(ana, room, secret, plan, map_, body="look"))["seq"]
    reader = await ben.listens()
    lighter = await edits(ana, room, seq, "", files=[map_["id"], plan["id"]])
    assert (lighter["body"], lighter["files"]) == ("", [plan, map_])
    assert (await reader.hears_event("edit")).json() == lighter == await reads(ben, room, seq)
    assert [await may_read(ben, file) for file in (secret, plan, map_)] == [False, True, True]
    back = await ben.listens(start)
    await back.hears_event("edit")
    assert b"secret" not in b"".join(event.raw for event in back.events)
    uploads = node.app[UPLOADS]
    assert await FileCleanup(uploads._pool, uploads.storage).step() == 1
    assert not (uploads.storage._folder / folder_of(secret["id"])).exists()
    assert "files" not in await edits(ana, room, seq, "only words", files=[])


async def test_an_edit_cannot_add_files(ana: Person, ben: Person) -> None:
    """An edit can neither add a file, nor leave an empty message, and only the author can remove files."""
    room = await begins(ana, "channel", "room", ben)
    mine, other = await sends(ana, b"a"), await sends(ana, b"b")
    message = await posts(ana, room, mine)
    path = f"{CONVERSATIONS}/{room}/messages/{message['seq']}"
    for files, field in (([other["id"]], "files"), ([mine["id"], other["id"]], "files"), ([], "body")):
        status, said = await ana.call("PATCH", path, {"body": "", "files": files})
        assert (status, said["errors"][0]["field"]) == (422, field)
    assert await tries(ana, "PATCH", path, {"body": "", "files": [mine["id"]] * 2}) == (422, "invalid")
    assert await tries(ben, "PATCH", path, {"body": "x", "files": []}) == (403, "not_yours")
    assert await edits(ana, room, message["seq"], "", files=[mine["id"]]) == message


async def test_readers_that_reconnect_get_no_removed_file(ana: Person, ben: Person) -> None:
    """The log forgets the file's name with the message; a message with files and an empty text is no tombstone."""
    room = await begins(ana, "channel", "room", ben)
    start = (await sees(ben))["cursor"]
    gone, stays = await sends(ana, b"a", "secret plans.txt"), await sends(ana, b"b", "lunch.txt")
    first = await posts(ana, room, gone, body="look")
    second = await posts(ana, room, stays, body="menu")
    await edits(ana, room, second["seq"], "")
    await deletes(ana, room, first["seq"])
    reader = await ben.listens(start)
    await reader.hears_event("delete")
    heard = {message["seq"]: message for message in reader.messages()}
    assert b"secret plans" not in b"".join(event.raw for event in reader.events)
    assert heard[first["seq"]]["deleted"]
    assert "deleted" not in heard[second["seq"]]
    assert heard[second["seq"]]["files"] == [stays]


async def test_a_tombstone_has_no_files(ana: Person, ben: Person, node: Node) -> None:
    """The file's bytes are deleted soon after; those of other files are not."""
    room = await begins(ana, "channel", "room", ben)
    gone, stays = await sends(ana, picture(), "gone.png"), await sends(ana, picture(), "stays.png")
    message = await posts(ana, room, gone)
    await posts(ana, room, stays)
    await deletes(ana, room, message["seq"])
    assert "files" not in await reads(ben, room, message["seq"])
    folder = node.app[UPLOADS].storage._folder
    assert (folder / folder_of(gone["id"])).exists()
    uploads = node.app[UPLOADS]
    assert await FileCleanup(uploads._pool, uploads.storage).step() == 1
    assert not (folder / folder_of(gone["id"])).exists()
    assert await may_read(ben, stays)


async def test_abandoned_uploads_are_deleted_after_a_day(ana: Person, node: Node) -> None:
    """Complete and incomplete uploads are deleted after a day; newer ones stay."""
    uploads = node.app[UPLOADS]
    half, whole, fresh = await begins_upload(ana, 10), await sends(ana, b"whole"), await sends(ana, b"fresh")
    await sends_piece(ana, half, 0, b"half")
    async with uploads._pool.connection() as connection:
        await connection.execute(
            "update files set touched_at = now() - interval '25 hours' where id <> %s", [fresh["id"]]
        )
    assert await FileCleanup(uploads._pool, uploads.storage).step() == 2
    assert [await may_read(ana, file) for file in (whole, fresh)] == [False, True]
    assert (await ana.asks("HEAD", half))[0] == 404
    assert [path.name for path in uploads.storage._folder.glob("*/*")] == [str(fresh["id"])]


async def test_found_by_having_a_file(ana: Person, ben: Person) -> None:
    """`has:file` and the file's name find the message, until it is deleted."""
    room = await begins(ana, "channel", "room", ben)
    await ana.says(room, "figures will follow")
    message = await posts(ana, room, await sends(ana, b"1,2", "Quarterly figures.csv"))

    async def found(question: str) -> list[int]:
        _, said = await ben.call("GET", f"/api/chat/search?q={question}")
        return [result["message"]["seq"] for result in said["results"]]

    await eventually(lambda: found("has:file"))
    assert await found("has:file") == [message["seq"]]
    assert await found("quarterly") == [message["seq"]]
    assert await found("figures") == [message["seq"], 1]
    assert await found("figures has:file") == [message["seq"]]
    await deletes(ana, room, message["seq"])

    async def gone() -> bool:
        return await found("has:file") == []

    await eventually(gone)
