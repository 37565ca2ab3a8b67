"""Plain lines: an author, a text, perhaps a time and a channel."""

from pathlib import Path

import psycopg
import pytest

from chat.transfer.errors import NoConversation
from tests.cast import Cast
from tests.transfer.files import imports, write_lines
from tests.verbs import begins, pages, sees

Line = dict[str, object] | bytes


async def test_lines_become_messages_of_their_authors(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Ben has an account and is the author; José gets one; each message has its time, or now; an admin owns the
    channel."""
    (ana,) = await cast.enters("ana", role="admin")
    (ben,) = await cast.enters("ben")
    file = write_lines(
        tmp_path / "talk.jsonl",
        {"author": "Ben", "body": "olá", "at": "2024-05-01T09:30:00+02:00", "reactions": 3},
        b"",
        {"author": "José Ñ", "body": "hello\nthere"},
        {"author": "ana", "body": "in another room", "conversation": "Other"},
    )
    assert await imports(database_url, file, into="archive") == 0
    rooms = {one["name"]: one for one in (await sees(ana))["conversations"]}
    assert {name: room["role"] for name, room in rooms.items()} == {"Other": "owner", "archive": "owner"}
    first, second = (await pages(ben, rooms["archive"]["id"]))["messages"]
    assert (first["author"], first["body"], first["created_at"]) == (ben.id, "olá", "2024-05-01T07:30:00.000Z")
    status, jose = await ben.call("GET", f"/api/users/{second['author']}")
    assert (status, jose["display_name"]) == (200, "José Ñ")
    status, _ = await ben.call("POST", "/api/sessions", {"name": jose["name"], "password": " "})
    assert status == 401


async def test_a_longer_file_adds_only_new_lines(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal lines at different places are different messages, in the channel with that name."""
    lines: list[Line] = [{"author": f"p{number % 7}", "body": "same"} for number in range(700)]
    assert await imports(database_url, write_lines(tmp_path / "talk.jsonl", *lines[:600]), into="a") == 0
    assert await imports(database_url, write_lines(tmp_path / "talk.jsonl", *lines), into="A") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "100 new, 600 known, 0 invalid"
    with psycopg.connect(database_url) as database:
        assert database.execute("select last_seq from conversations").fetchall() == [(700,)]


async def test_bad_lines_are_named(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is reported with its number and reason; a file may begin with one; the exit code says that there were
    some."""
    lines: list[Line] = [
        b"{not json",
        {"author": "Ben", "body": "good"},
        {"author": "Ben"},
        {"author": "Ben", "body": "x" * 16_001},
        {"author": "Ben", "body": "x", "at": "2024-05-01T09:30:00"},
        b'{"author": "Ben", "body": "' + b"x" * 3_000_000 + b'"}',
        {"author": "Ben", "body": "also good"},
    ]
    assert await imports(database_url, write_lines(tmp_path / "talk.jsonl", *lines), into="a") == 1
    told = capsys.readouterr()
    assert told.out == "2 new, 0 known, 5 invalid\n"
    wrong = [line for line in told.err.splitlines() if line.startswith("talk.jsonl:")]
    assert [line.split(": ")[0] for line in wrong] == [f"talk.jsonl:{number}" for number in (1, 3, 4, 5, 6)]
    assert "at:" in wrong[3]


async def test_an_import_into_an_existing_channel(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Members stay and have nothing unread; a line must name its channel."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, "channel", "archive", ben)
    file = write_lines(tmp_path / "talk.jsonl", {"author": "Zed", "body": "x"})
    with pytest.raises(NoConversation, match=r"talk\.jsonl:1 "):
        await imports(database_url, file)
    assert await imports(database_url, file, into="Archive") == 0
    (mine,) = (await sees(ben))["conversations"]
    assert (mine["id"], mine["last_seq"], mine["unread"], mine["role"]) == (room, 1, 0, "member")


@pytest.mark.parametrize("name", ["ΟΔΟΣ", "İzmir", "Straße", "ﬁsh", "e\u0301té"])
async def test_a_channel_is_known_again_by_what_its_name_looks_like(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A second import finds the channel, though Python and PostgreSQL have different rules of case."""
    lines = [{"author": "Una", "body": body, "conversation": name} for body in ("one", "two", "three")]
    assert await imports(database_url, write_lines(tmp_path / "a.jsonl", *lines[:2])) == 0
    assert await imports(database_url, write_lines(tmp_path / "b.jsonl", *lines)) == 0
    assert capsys.readouterr().out == "2 new, 0 known, 0 invalid\n1 new, 2 known, 0 invalid\n"
    with psycopg.connect(database_url) as database:
        assert database.execute("select count(*) from conversations").fetchall() == [(1,)]
