"""`tandem import`: a chat file through the API, as often as one likes."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.importing.command import Options, import_file
from chat.importing.trouble import BadUrl, ImportTrouble, NoPlace, NotMine, Refused
from tests.cast import Cast, Person
from tests.verbs import begins, members_of, opens, pages, sees


async def imports(person: Person, file: Path, into: str | None = None, private: bool = False) -> int:
    """The exit code of the command, which runs beside us."""
    return await asyncio.to_thread(import_file, Options(file, person.at, into, private, person.token, "", ""))


def write(path: Path, *lines: dict[str, Any] | bytes) -> Path:
    """A chat file."""
    encoded = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    path.write_bytes(b"\n".join(encoded) + b"\n")
    return path


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """An admin."""
    return (await cast.enters("ana", role="admin"))[0]


@pytest.fixture
async def ben(cast: Cast) -> Person:
    """No admin."""
    return (await cast.enters("ben"))[0]


async def test_lines_become_messages_of_their_authors(ana: Person, ben: Person, tmp_path: Path) -> None:
    """Ben has an account and is the author; José gets one; each message has its time, or now."""
    file = write(
        tmp_path / "talk.jsonl",
        {"author": "Ben", "body": "olá", "at": "2024-05-01T09:30:00+02:00", "reactions": 3},
        b"",
        {"author": "José Ñ", "body": "hello\nthere"},
        {"author": "ana", "body": "in another room", "conversation": "Other"},
    )
    assert await imports(ana, file, into="archive") == 0
    rooms = {one["name"]: one for one in (await sees(ana))["conversations"]}
    assert sorted(rooms) == ["Other", "archive"]
    assert [room["unread"] for room in rooms.values()] == [0, 0]
    first, second = (await pages(ben, rooms["archive"]["id"]))["messages"]
    assert (first["author"], first["body"], first["created_at"]) == (ben.id, "olá", "2024-05-01T07:30:00.000Z")
    assert second["body"] == "hello\nthere"
    status, jose = await ben.call("GET", f"/api/users/{second['author']}")
    assert (status, jose["display_name"]) == (200, "José Ñ")
    assert set(await members_of(ana, rooms["archive"]["id"])) == {ana.id, ben.id, second["author"]}
    status, _ = await ben.call("POST", "/api/sessions", {"name": jose["name"], "password": " "})
    assert status == 401


async def test_again_changes_nothing_and_more_brings_what_is_new(
    ana: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also two imports of the same file at once; equal lines at different places are different messages."""
    lines: list[dict[str, Any] | bytes] = [{"author": f"p{number % 7}", "body": "same"} for number in range(700)]
    file = write(tmp_path / "talk.jsonl", *lines[:600])
    assert await asyncio.gather(imports(ana, file, into="a"), imports(ana, file, into="A")) == [0, 0]
    write(file, *lines)
    assert await imports(ana, file, into="a") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "100 new, 600 known, 0 refused"
    (room,) = (await sees(ana))["conversations"]
    assert room["last_seq"] == 700


async def test_bad_lines_are_named_and_touch_no_others(
    ana: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its number and what is wrong with it; the exit code says that there were some."""
    file = write(
        tmp_path / "talk.jsonl",
        {"author": "Ben", "body": "good"},
        b"{not json",
        {"author": "Ben"},
        {"author": "Ben", "body": "x" * 16_001},
        {"author": "Ben", "body": "x", "at": "2024-05-01T09:30:00"},
        b'{"author": "Ben", "body": "' + b"x" * 3_000_000 + b'"}',
        {"author": "Ben", "body": "also good"},
    )
    assert await imports(ana, file, into="a") == 1
    told = capsys.readouterr()
    assert told.out == "2 new, 0 known, 5 refused\n"
    wrong = [line for line in told.err.splitlines() if line.startswith("line ")]
    assert [line.split(":")[0] for line in wrong] == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    assert "body" in wrong[1]
    assert "at" in wrong[3]
    room = (await sees(ana))["conversations"][0]
    assert [message["body"] for message in (await pages(ana, room["id"]))["messages"]] == ["good", "also good"]


async def test_only_admins_import_and_only_into_what_they_run(ana: Person, ben: Person, tmp_path: Path) -> None:
    """Refused with the reason before a line is stored; private stays private."""
    file = write(tmp_path / "talk.jsonl", {"author": "Ben", "body": "x"})
    with pytest.raises(Refused, match="Only admins"):
        await imports(ben, file, into="mine")
    for private in (False, True):
        room = await begins(ben, "channel", f"his {private}", private=private)
        with pytest.raises(NotMine):
            await imports(ana, file, into=f"HIS {private}")
        assert (await opens(ben, room))["last_seq"] == 0
    with pytest.raises(NoPlace, match="Line 1 "):
        await imports(ana, file)
    assert await imports(ana, file, into="secret", private=True) == 0
    (secret,) = (await sees(ana))["conversations"]
    assert secret["private"] is True


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://there", "http://"])
async def test_what_is_no_address_is_said(tmp_path: Path, url: str) -> None:
    """Before anything is read."""
    with pytest.raises(BadUrl):
        import_file(Options(tmp_path / "none", url, "a", False, "token", "", ""))


async def test_a_wrong_password_is_said(ana: Person, tmp_path: Path) -> None:
    """In the server's words."""
    file = write(tmp_path / "talk.jsonl", {"author": "Ben", "body": "x"})
    with pytest.raises(ImportTrouble, match="do not belong together"):
        await asyncio.to_thread(import_file, Options(file, ana.at, "a", False, "", "ana", "guess"))


async def test_the_command_does_it(ana: Person, tmp_path: Path) -> None:
    """As it is typed; what it prints is the tally alone."""
    file = write(tmp_path / "talk.jsonl", {"author": "Ben", "body": "x"})
    command = [sys.executable, "-m", "chat", "import", str(file), "--into", "a", "--url", ana.at]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | {"TANDEM_TOKEN": ana.token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"1 new, 0 known, 0 refused\n"), err
