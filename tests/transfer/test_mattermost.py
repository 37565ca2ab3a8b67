"""A Mattermost bulk export: channels of teams, users, threads, direct and group messages."""

import zipfile
from pathlib import Path

import orjson
import pytest

from chat.transfer.text import account_name
from tests.cast import Cast
from tests.transfer.files import Json, exports, imports, write_lines
from tests.transfer.mattermost_export import mattermost_lines
from tests.verbs import sees

LONG = "very.long.name.of.someone.who.has.one"


async def test_everything_in_it_is_imported(
    cast: Cast, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Replies follow their post, in the order of their times; invalid names are changed."""
    ana, _ = await cast.enters("ana", "ben")
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *mattermost_lines())) == 0
    told = capsys.readouterr()
    assert told.out == "8 new, 0 known, 0 invalid\n"
    assert "skipped: 1 reactions with :custom:" in told.err
    assert "skipped: 1 lines of the type emoji" in told.err
    mine = {one["name"] or one["kind"]: one for one in (await sees(ana))["conversations"]}
    assert sorted(mine) == ["Secret", "The Garden", "direct", "group"]
    assert {one["unread"] for one in mine.values()} == {0}
    lines = await exports(database_url, tmp_path / "out.jsonl", conversation=str(mine["The Garden"]["id"]))
    check_garden(lines, account_name(LONG))


def check_garden(lines: list[Json], long: str) -> None:
    """Check the channel's messages and members."""
    said = [line for line in lines if line["type"] == "message"]
    assert [line["body"] for line in said] == [
        f"hi @ben and @{long}, `:tada:` 🎉",
        "first *reply*",
        "second reply",
        "edited",
        "📎 plan.pdf",
        "_ana joined the channel._",
    ]
    assert said[0]["mentions"] == ["ben", long]
    assert said[0]["reactions"] == [{"emoji": "👍", "users": ["ben"]}]
    assert [line.get("thread", {}).get("author") for line in said[:4]] == [None, "ana", "ana", None]
    assert (said[1]["author"], said[1]["reactions"]) == (long, [{"emoji": "🎉", "users": ["ana"]}])
    assert "edited_at" in said[3]
    roles = {line["user"]: line.get("role", "member") for line in lines if line["type"] == "member"}
    assert roles == {"ana": "owner", "ben": "member", long: "member"}
    assert [line["user"] for line in lines if line["type"] == "pin"] == ["ana"]


async def test_the_zip_with_its_files_and_again(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines may be in an archive beside the files; a second import adds nothing."""
    lines = b"\n".join(map(orjson.dumps, mattermost_lines()))
    with zipfile.ZipFile(tmp_path / "mm.zip", "w") as archive:
        archive.writestr("import.jsonl", lines)
        archive.writestr("data/1/plan.pdf", b"%PDF")
    assert await imports(database_url, tmp_path / "mm.zip") == 0
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *mattermost_lines())) == 0
    assert capsys.readouterr().out == "8 new, 0 known, 0 invalid\n0 new, 8 known, 0 invalid\n"


async def test_wrong_lines_are_named(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A post without a time and a line that is no JSON are reported; the others are imported."""
    bad = [b"{", {"type": "post", "post": {"team": "farm", "channel": "garden", "user": "ben", "message": "when?"}}]
    lines = mattermost_lines()
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *lines[:8], *bad, *lines[8:])) == 1
    told = capsys.readouterr()
    assert told.out == "8 new, 0 known, 2 invalid\n"
    assert [line.split(": ")[0] for line in told.err.splitlines() if line.startswith("mm.jsonl:")] == [
        "mm.jsonl:9",
        "mm.jsonl:10",
    ]
