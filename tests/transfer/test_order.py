"""The order of imported messages: by time within each conversation, whatever the order of the file."""

import random
from pathlib import Path

import pytest

from chat.transfer.importer import Importer
from tests.transfer.files import Json, exports, imports, write_lines
from tests.transfer.mattermost_export import MAY, mattermost_lines, post
from tests.transfer.test_people import server
from tests.transfer.test_resume import Killed


def said(lines: list[Json]) -> list[str]:
    """Return the texts of an export's messages."""
    return [line["body"] for line in lines if line["type"] == "message"]


async def test_posts_are_in_the_order_of_their_times(database_url: str, tmp_path: Path) -> None:
    """Mattermost writes posts in the order of their ids, which are random. A reply stays in its thread."""
    late = post("ben", "a late reply", 9)
    posts = [
        post("ana", "third", 3),
        post("ben", "first", 1),
        post("ana", "second", 2, replies=[late]),
        post("ben", "fourth", 4),
    ]
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *server(*posts, ana={}, ben={}))) == 0
    lines = await exports(database_url, tmp_path / "out.jsonl")
    assert said(lines) == ["first", "second", "third", "fourth", "a late reply"]
    (reply,) = [line for line in lines if line.get("body") == "a late reply"]
    assert reply["thread"]["author"] == "ana"


async def test_a_reply_comes_after_its_post_even_by_a_wrong_clock(database_url: str, tmp_path: Path) -> None:
    """A reply that claims to be older than its post is still in the thread."""
    posts = [post("ana", "root", 5, replies=[post("ben", "early", 1), post("ben", "same", 5)]), post("ana", "next", 6)]
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *server(*posts, ana={}, ben={}))) == 0
    lines = [line for line in await exports(database_url, tmp_path / "out.jsonl") if line["type"] == "message"]
    assert [line["body"] for line in lines] == ["root", "early", "same", "next"]
    assert ["thread" in line for line in lines] == [False, True, True, False]


async def test_equal_posts_of_one_millisecond_are_all_imported_once(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three posts with the same author, time and text are three messages, also in a second import."""
    lines = server(*(post("ana", "same", 1) for _ in range(3)), ana={})
    assert await imports(database_url, write_lines(tmp_path / "a.jsonl", *lines)) == 0
    more = [*lines, *server(post("ana", "later", 2))[3:]]
    assert await imports(database_url, write_lines(tmp_path / "b.jsonl", *more)) == 0
    assert capsys.readouterr().out == "3 new, 0 known, 0 invalid\n1 new, 3 known, 0 invalid\n"
    assert said(await exports(database_url, tmp_path / "out.jsonl")) == ["same", "same", "same", "later"]


async def test_a_killed_import_keeps_the_order(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import of a shuffled file that is killed and continued gives the same history."""
    monkeypatch.setattr("chat.transfer.importer.GROUP", 50)
    numbers = list(range(300))
    random.Random(16).shuffle(numbers)
    posts = [post("ana", f"line {number}", number) for number in numbers]
    file = write_lines(tmp_path / "mm.jsonl", *server(*posts, ana={}))
    take, taken = Importer._import_group, iter(range(3))

    async def die(self: Importer, group: list[object], at: int) -> int:
        if next(taken, None) is None:
            raise Killed
        return await take(self, group, at)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Importer, "_import_group", die)
        with pytest.raises(Killed):
            await imports(database_url, file)
    assert await imports(database_url, file) == 0
    assert said(await exports(database_url, tmp_path / "out.jsonl")) == [f"line {n}" for n in range(300)]


async def test_older_messages_of_a_later_file_are_counted(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers of messages here are final: what is older than the last one comes after it, and the report says so."""
    newer, older = post("ana", "newer", 5), post("ana", "older", 1)
    for name, lines in (("a", server(newer, ana={})), ("b", server(newer, older, ana={}))):
        assert await imports(database_url, write_lines(tmp_path / f"{name}.jsonl", *lines), server="farm") == 0
    assert "1 messages are older than those that were here" in capsys.readouterr().err
    assert said(await exports(database_url, tmp_path / "out.jsonl")) == ["newer", "older"]


async def test_records_of_no_conversation_cost_no_others(
    elsewhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The members that a user's line lists in a channel without a line are counted; the rest comes in."""
    lines = [line for line in mattermost_lines() if line.get("channel", {}).get("name") != "secret"]
    assert await imports(elsewhere, write_lines(tmp_path / "mm.jsonl", *lines)) == 0
    assert capsys.readouterr().out == "8 new, 0 known, 0 invalid\n"
    assert MAY
