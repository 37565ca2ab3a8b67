"""Files and avatars come along with their bytes, in and out, through the same checks as an upload."""

import asyncio
import zipfile
from io import BytesIO
from pathlib import Path

import orjson
import psycopg
import pytest
from PIL import Image

from chat.transfer.commands import ExportOptions, export_file
from chat.transfer.import_files import is_plain_webp
from tests.cast import Person, casting
from tests.files.sending import address, moving, opens_file, picture, sends
from tests.nodes import running_node
from tests.transfer.files import Json, exports, imports
from tests.transfer.mattermost_export import post
from tests.transfer.test_people import server
from tests.verbs import CONVERSATIONS, begins, pages, sees


async def export_zip(database_url: str, path: Path, files_url: str) -> dict[str, bytes]:
    """Export everything to a ZIP; return its members, the lines without the header."""
    await asyncio.to_thread(export_file, database_url, ExportOptions(path, files_url=files_url))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    head, _, lines = members["export.jsonl"].partition(b"\n")
    assert orjson.loads(head)["version"] == 6
    return members | {"export.jsonl": lines}


async def says_with(person: Person, room: int, body: str, *files: Json) -> None:
    """Post a message with files."""
    draft = {"body": body, "client_id": f"f{files[0]['id']}", "files": [one["id"] for one in files]}
    status, said = await person.call("POST", f"{CONVERSATIONS}/{room}/messages", draft)
    assert status == 201, said


async def test_a_round_trip_gives_the_same_bytes(
    database_url: str, elsewhere: str, redis_url: str, tmp_path: Path
) -> None:
    """Export, import into an empty server, export: lines, files, avatars and custom emoji are equal, and readers get
    the bytes."""
    here, there = ((tmp_path / name).as_uri() for name in ("here", "there"))
    async with running_node(database_url, redis_url, files_url=here) as node, casting(database_url, node.url) as cast:
        (ana,) = await cast.enters("ana", role="admin")
        (ben,) = await cast.enters("ben")
        room = await begins(ana, "channel", "garden", ben)
        photo = picture((640, 320), "JPEG")
        plan, shown = await sends(ana, b"%PDF plan" * 50_000, "plan ü.pdf"), await sends(ana, photo, "rose.jpg")
        await says_with(ana, room, "both", plan, shown)
        await says_with(ben, room, "", await sends(ben, b"notes", ".env"))
        for person in (ana, ben):
            assert (await person.call("PUT", "/api/users/me/avatar", data=picture((320, 320))))[0] == 200
        for name, data in (("acme", picture((64, 48))), ("jig", moving(3))):
            assert (await ben.call("POST", f"/api/emoji?name={name}", data=data))[0] == 201
        first = await export_zip(database_url, tmp_path / "first.zip", here)
    assert len([name for name in first if name.startswith("files/")]) == 3
    assert len([name for name in first if name.startswith("avatars/")]) == 2
    assert sorted(name for name in first if name.startswith("emoji/")) == ["emoji/acme.webp", "emoji/jig.webp"]
    assert await imports(elsewhere, tmp_path / "first.zip", files_url=there) == 0
    assert await export_zip(elsewhere, tmp_path / "second.zip", there) == first
    assert await imports(elsewhere, tmp_path / "first.zip", files_url=there) == 0
    assert await export_zip(elsewhere, tmp_path / "third.zip", there) == first
    async with running_node(elsewhere, redis_url, files_url=there) as node, casting(elsewhere, node.url) as cast:
        (chloe,) = await cast.enters("chloe")
        (message, _) = (await pages(chloe, room))["messages"]
        status, data, _ = await opens_file(chloe, address(message["files"][0]))
        assert (status, data) == (200, b"%PDF plan" * 50_000)
        assert (message["files"][1]["width"], message["files"][1]["height"]) == (640, 320)


async def test_files_of_a_foreign_archive(
    database_url: str, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message gets its files, a user the avatar. What is missing, empty or broken is named and costs nothing else."""
    files = [{"path": path} for path in ("1/plan.pdf", "1/gone.pdf", "1/empty.txt")]
    lines = server(
        post("ana", "look", 1, attachments=files), ana={"profile_image": "p/ana.png"}, ben={"profile_image": "p/b.png"}
    )
    with zipfile.ZipFile(tmp_path / "mm.zip", "w") as archive:
        archive.writestr("import.jsonl", b"\n".join(map(orjson.dumps, lines)))
        archive.writestr("data/1/plan.pdf", b"%PDF")
        archive.writestr("data/1/empty.txt", b"")
        archive.writestr("data/p/ana.png", picture((64, 32)))
        archive.writestr("data/p/b.png", b"no picture")
    store = (tmp_path / "store").as_uri()
    assert await imports(database_url, tmp_path / "mm.zip", files_url=store) == 0
    told = capsys.readouterr().err
    assert "created accounts: 2; stored files and pictures: 2" in told
    assert "1 files that the archive does not have (1/gone.pdf)" in told
    assert "1 avatars that are not pictures, or too large (p/b.png)" in told
    assert "(1/empty.txt)" in told
    async with running_node(database_url, redis_url, files_url=store) as node, casting(database_url, node.url) as cast:
        (chloe,) = await cast.enters("chloe", role="admin")
        (room,) = (await sees(chloe))["conversations"] or [{"id": 1}]
        (message,) = (await pages(chloe, room["id"]))["messages"]
        assert message["body"] == "look\n📎 gone.pdf\n📎 empty.txt"
        assert (await opens_file(chloe, address(message["files"][0])))[1] == b"%PDF"
        status, found = await chloe.call("GET", f"/api/users/{message['author']}")
        assert (status, found["avatar"] != "") == (200, True)
    with psycopg.connect(database_url) as database:
        assert database.execute("select name, avatar is not null from users order by name").fetchall()[:2] == [
            ("ana", True),
            ("ben", False),
        ]


async def test_large_files_stay_out(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server's limits of size and quota hold for an import; the message names the file."""
    monkeypatch.setenv("MAX_FILE_BYTES", "1000")
    monkeypatch.setenv("FILES_QUOTA", "1500")
    sizes = (1001, 900, 900)
    posts = [post("ana", f"{n}", n, attachments=[{"path": f"{n}.bin"}]) for n in range(3)]
    with zipfile.ZipFile(tmp_path / "mm.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("import.jsonl", b"\n".join(map(orjson.dumps, server(*posts, ana={}))))
        for number, size in enumerate(sizes):
            archive.writestr(f"data/{number}.bin", b"x" * size)
    assert await imports(database_url, tmp_path / "mm.zip", files_url=(tmp_path / "store").as_uri()) == 0
    assert capsys.readouterr().err.count("skipped: 1 files: ") == 2
    lines = await exports(database_url, tmp_path / "out.jsonl")
    said = [(line["body"], len(line.get("files", ()))) for line in lines if line["type"] == "message"]
    assert said == [("0\n📎 0.bin", 0), ("1", 1), ("2\n📎 2.bin", 0)]


def test_only_plain_pictures_are_kept_as_they_are() -> None:
    """An avatar with metadata, or with bytes after it, is encoded anew."""
    plain, tagged = BytesIO(), BytesIO()
    square = Image.new("RGB", (8, 8))
    square.save(plain, "WEBP")
    square.save(tagged, "WEBP", exif=Image.Exif().tobytes() or b"Exif\0\0II*\0\x08\0\0\0\0\0")
    assert is_plain_webp(plain.getvalue())
    assert not is_plain_webp(plain.getvalue() + b"x")
    assert not is_plain_webp(tagged.getvalue())
    assert not is_plain_webp(b"GIF89a")
