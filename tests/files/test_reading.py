"""Reading files: all or a part, by users who may; and no file's content runs anywhere."""

from urllib.parse import quote

import pytest

from tests.cast import Person
from tests.files.sending import address, begins_upload, may_read, opens_file, picture, posts, sends, sends_piece
from tests.verbs import begins, deletes, removes_member

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!doctype html><script>alert(1)</script>"


async def test_only_readers_of_the_message_read_its_files(
    ana: Person, ben: Person, chloe: Person, mallory: Person
) -> None:
    """First only its owner reads it, then the members; a user who leaves, the owner too, does not."""
    room = await begins(ben, "group", "", ana, chloe)
    file = await sends(ana, b"between us")
    assert [await may_read(person, file) for person in (ana, ben, mallory)] == [True, False, False]
    await posts(ana, room, file)
    assert [await may_read(person, file) for person in (ana, ben, chloe, mallory)] == [True, True, True, False]
    await removes_member(ben, room, chloe)
    await removes_member(ana, room, "me")
    assert [await may_read(person, file) for person in (ana, ben, chloe)] == [False, True, False]


async def test_visitors_of_a_public_channel_read_it(ana: Person, mallory: Person) -> None:
    """Visitors of a public channel read its files like its messages."""
    room = await begins(ana, "channel", "open")
    file = await sends(ana, b"for everybody")
    await posts(ana, room, file)
    assert await may_read(mallory, file)


async def test_a_deleted_message_deletes_its_files(ana: Person, ben: Person) -> None:
    """The files and previews are gone for everyone at once."""
    room = await begins(ana, "group", "", ben)
    file = await sends(ana, picture(), "a.png")
    message = await posts(ana, room, file)
    assert await may_read(ben, file)
    await deletes(ana, room, message["seq"])
    for path in (address(file), address(file, "?preview=small"), f"/api/files/{file['id']}"):
        assert [(await opens_file(person, path))[0] for person in (ana, ben)] == [404, 404]


RANGES = {
    "bytes=0-4": (206, b"01234", "bytes 0-4/10"),
    "bytes=5-": (206, b"56789", "bytes 5-9/10"),
    "bytes=-3": (206, b"789", "bytes 7-9/10"),
    "bytes=-30": (206, b"0123456789", "bytes 0-9/10"),
    "bytes=8-100": (206, b"89", "bytes 8-9/10"),
    "bytes=10-": (416, b"", "bytes */10"),
    "bytes=-0": (416, b"", "bytes */10"),
    "bytes=5-2": (200, b"0123456789", None),
    "bytes=0-1,4-5": (200, b"0123456789", None),
    "lines=0-4": (200, b"0123456789", None),
    "bytes=x": (200, b"0123456789", None),
}


@pytest.mark.parametrize("asked", RANGES)
async def test_ranges_of_a_file(ana: Person, asked: str) -> None:
    """Players and resumed downloads ask for ranges, across pieces too."""
    place = await begins_upload(ana, 10, "digits")
    for offset, piece in ((0, b"012"), (3, b"3456"), (7, b"789")):
        await sends_piece(ana, place, offset, piece)
    status, data, headers = await opens_file(ana, place + "/digits", Range=asked)
    assert (status, data, headers.get("Content-Range")) == RANGES[asked]
    status, data, head = await opens_file(ana, place + "/digits", "HEAD", Range=asked)
    assert (status, data) == (RANGES[asked][0], b"")
    assert head.get("Content-Length", "0") == str(len(RANGES[asked][1]))


async def test_a_cached_file_is_not_sent_again(ana: Person) -> None:
    """A matching ETag is 304; a range of another version returns the whole file."""
    file = await sends(ana, b"0123456789", "digits")
    _, _, headers = await opens_file(ana, address(file))
    assert (await opens_file(ana, address(file), If_None_Match=headers["ETag"]))[:2] == (304, b"")
    status, data, _ = await opens_file(ana, address(file), Range="bytes=0-4", If_Range='"other"')
    assert (status, data) == (200, b"0123456789")


TRAPS = {
    "page.html": HTML,
    "drawing.svg": SVG,
    "photo.png": HTML,
    "photo.jpg": SVG,
    "photo.gif": b"GIF87a\x01\x00\x01\x00" + HTML,
    "words.txt": b"<script>alert(1)</script>",
    "paper.pdf": b"%PDF-1.7\n" + HTML,
    "style.css": b"* { background: url(//evil.example) }",
    "app.js": b"alert(1)",
    "bundle.mht": b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + HTML,
}


@pytest.mark.parametrize("name", TRAPS)
async def test_no_file_content_runs(ana: Person, name: str) -> None:
    """A file of any name is only a download, of no particular type, in a sandbox."""
    file = await sends(ana, TRAPS[name], name)
    status, data, headers = await opens_file(ana, address(file))
    assert (status, data) == (200, TRAPS[name])
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "private" in headers["Cache-Control"]


async def test_pictures_and_sound_are_shown_in_place(ana: Person) -> None:
    """Types are recognized by content, whatever the names are."""
    wav = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(24)
    for data, name, kind in ((picture(), "x.html", "image/png"), (wav, "x.svg", "audio/wav")):
        file = await sends(ana, data, name)
        _, _, headers = await opens_file(ana, address(file))
        assert headers["Content-Type"] == kind == file["type"]
        assert headers["Content-Disposition"].startswith("inline;")
        assert headers["X-Content-Type-Options"] == "nosniff"


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "/absolute": "absolute",
    "..": "file",
    ".": "file",
    "": "file",
    " .hidden. ": ".hidden",
    'a"; filename="b': 'a"; filename="b',
    "a\r\nSet-Cookie: x=1": "aSet-Cookie_ x=1",
    "nul\0byte": "nulbyte",
    "evil\u202egnp.exe": "evilgnp.exe",
    "Grüße 你好 👩‍💻.txt": "Grüße 你好 👩‍💻.txt",
    "x" * 300 + ".tar.gz": "x" * 197 + ".gz",
}


@pytest.mark.parametrize("given", NAMES)
async def test_names_cannot_leave_folders_or_inject_headers(ana: Person, given: str) -> None:
    """A cleaned name is safe in the message, in the address and in the header."""
    file = await sends(ana, b"text", given)
    assert file["name"] == NAMES[given][:200]
    status, data, headers = await opens_file(ana, address(file))
    assert (status, data) == (200, b"text")
    assert headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quote(file['name'], safe='')}")
    assert "Set-Cookie" not in headers


async def test_another_file_name_is_not_found(ana: Person) -> None:
    """An address with another file name is not found."""
    file = await sends(ana, b"text", "mine.txt")
    for name in ("other.txt", "..%2f..%2fetc%2fpasswd", "mine.txt%00", "MINE.TXT"):
        assert (await opens_file(ana, f"/api/files/{file['id']}/{name}"))[0] == 404
