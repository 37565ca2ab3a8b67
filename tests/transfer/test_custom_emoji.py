"""Custom emoji of other systems come along with their pictures, and so do the reactions that use them."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from chat.transfer.archive import Archive
from tests.cast import Person
from tests.files.sending import moving, picture
from tests.files.test_custom_emoji import adds
from tests.transfer.files import Json, bodies_in, exports, imports, reads
from tests.transfer.foreign_exports import (
    BEN,
    discord_channel,
    discord_message,
    write_tar,
    write_zip,
    zulip_message,
    zulip_tables,
)
from tests.transfer.mattermost_export import mattermost_lines
from tests.transfer.slack_export import said, slack_files, write_slack

LOGO, JIG = picture((300, 200)), moving(3).getvalue()


def slack(path: Path) -> Path:
    """Two pictures, one of them beside its address, another name of one, and names that none can have here."""
    emoji = {"acme": "https://emoji.example/acme.png", "jig": "https://emoji.example/jig.gif", "acme2": "alias:acme"}
    emoji |= {
        "smile": "https://emoji.example/smile.png",
        "ok": "alias:thumbsup",
        "ünder": "https://emoji.example/u.png",
    }
    reactions = [{"name": name, "users": ["U2BEN"]} for name in ("acme", "acme2", "gone")]
    files: Json = {"kitchen/2024-05-09.json": [said("1715212800.000100", "U1ANA", "look", reactions=reactions)]}
    pictures = {"emojis/acme.png": LOGO, "emojis/jig.gif": JIG}
    return write_slack(path, slack_files() | files | pictures | {"emoji.json": {"ok": True, "emoji": emoji}})


def mattermost(path: Path) -> Path:
    """The lines of emoji come after the posts that use them."""
    lines = [line for line in mattermost_lines() if line["type"] != "emoji"]
    lines[7]["post"]["reactions"][1]["emoji_name"] = "acme"
    for name, place in (("acme", "1/image"), ("Jig", "2/image"), ("smile", "1/image"), ("gone", "9/image")):
        lines.append({"type": "emoji", "emoji": {"name": name, "image": f"exported_emoji/{place}"}})
    files = {f"data/exported_emoji/{n}/image": shown for n, shown in ((1, LOGO), (2, JIG))}
    return write_zip(path, {"import.jsonl": b"\n".join(map(orjson.dumps, lines)), **files})


def zulip(path: Path) -> Path:
    """An emoji that was deactivated is left out."""
    row = {"realm": 2, "author": 10, "deactivated": False}
    emoji = [row | {"id": n, "name": name, "file_name": f"{n}.png"} for n, name in enumerate(("acme", "jig", "smile"))]
    emoji.append(row | {"id": 9, "name": "gone", "file_name": "0.png", "deactivated": True})
    reaction = {
        "message": 1,
        "user_profile": 11,
        "reaction_type": "realm_emoji",
        "emoji_code": "0",
        "emoji_name": "acme",
    }
    tables = zulip_tables(
        zulip_message(1, 10, 41, "look", "Logos"), zerver_realmemoji=emoji, zerver_reaction=[reaction]
    )
    return write_tar(path, tables | {f"emoji/2/emoji/images/{n}.png": shown for n, shown in enumerate((LOGO, JIG))})


def discord(path: Path) -> Path:
    """Messages name the emoji that they have. The same one is imported once."""

    def emoji(number: int, name: str, ending: str = "png") -> Json:
        return {"id": str(number), "name": name, "code": name, "imageUrl": f"Farm_Files/{name}.{ending}"}

    reactions = [{"emoji": emoji(1, "acme"), "count": 1, "users": [BEN]}]
    messages = [discord_message(n, "look <:acme:1>", reactions=reactions) for n in (10, 11)]
    messages.append(discord_message(12, "<a:jig:2>", inlineEmojis=[emoji(2, "jig", "gif"), emoji(3, "smile")]))
    files = {"Farm_Files/acme.png": LOGO, "Farm_Files/jig.gif": JIG, "Farm_Files/smile.png": LOGO}
    return write_zip(path, {"Farm.json": json.dumps(discord_channel(9, "general", *messages)), **files})


@pytest.mark.parametrize("write", [slack, mattermost, zulip, discord])
async def test_pictures_and_reactions_come_along(
    write: Callable[[Path], Path], database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each emoji is one of the server, moving if it was, and reactions have it. What cannot be one is counted once."""
    file, store = write(tmp_path / "export.tar.gz" if write is zulip else tmp_path / "export.zip"), tmp_path.as_uri()
    assert await imports(database_url, file, files_url=store) == 0
    told = capsys.readouterr().err
    with psycopg.connect(database_url) as database:
        found = database.execute("select name, still is not null from custom_emoji order by name").fetchall()
    assert found == [("acme", False), *([("acme2", False)] if write is slack else []), ("jig", True)]
    assert told.count("custom emoji :smile:, whose name cannot be that of one here") == 1
    lines = await exports(database_url, tmp_path / "out.jsonl")
    reactions = [one["emoji"] for line in lines for one in line.get("reactions") or ()]
    assert reactions.count(":acme:") == (2 if write is discord else 1)
    assert reactions.count(":acme2:") == (1 if write is slack else 0)
    assert ":gone:" not in reactions


def test_discord_names_are_the_same_in_texts_and_reactions(tmp_path: Path) -> None:
    """Discord's names have capital letters. A text calls the emoji as it is called here; one without a picture keeps
    its name, and code stays as it is."""
    emoji = {"id": "1", "name": "PepeHands", "imageUrl": "Farm_Files/p.png"}
    message = discord_message(10, "<:PepeHands:1> <:GoneHere:2> `<:PepeHands:1>`", inlineEmojis=[emoji])
    file = {"Farm.json": json.dumps(discord_channel(9, "general", message)), "Farm_Files/p.png": LOGO}
    items, _ = reads(write_zip(tmp_path / "farm.zip", file))
    assert bodies_in(items) == [":pepehands: :GoneHere: `<:PepeHands:1>`"]


@pytest.mark.parametrize("inline", ["x", 5, [None], ["x"], [5]])
def test_a_broken_emoji_of_discord_costs_no_message(inline: object, tmp_path: Path) -> None:
    """A list of emoji may be anything; the text of its message is read."""
    message = discord_message(10, "kept", inlineEmojis=inline)
    items, counts = reads(write_zip(tmp_path / "farm.zip", {"Farm.json": json.dumps(discord_channel(9, "g", message))}))
    assert (bodies_in(items), counts.bad) == (["kept"], 0)


def test_the_files_of_slack_are_listed_once_for_all_emoji(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for a picture takes no longer in an archive with more files."""
    listed: list[int] = []
    names = Archive.names
    monkeypatch.setattr(Archive, "names", lambda archive: listed.append(1) or names(archive))
    for many in (1, 50):
        emoji = {f"em-{n}": f"https://emoji.example/{n}.png" for n in range(many)}
        reads(write_slack(tmp_path / "farm.zip", slack_files() | {"emoji.json": emoji}))
        listed.append(0)
    first, second = "".join(map(str, listed)).split("0")[:2]
    assert first == second


async def test_what_is_here_stays(
    ana: Person, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An emoji of the server keeps its picture. A second import, after an equal one was added, changes nothing."""
    await adds(ana, "acme", picture((20, 20)))
    for _ in range(2):
        assert await imports(database_url, mattermost(tmp_path / "mm.zip"), files_url=tmp_path.as_uri()) == 0
    told = capsys.readouterr().err
    assert "1 custom emoji :acme:, whose name has another picture here (exported_emoji/1/image)" in told
    assert "exported_emoji/9/image" in told
    assert ":jig:" not in told
    _, said = await ana.call("GET", "/api/emoji")
    assert [(one["name"], one["by"]) for one in said["emoji"]] == [("acme", ana.id), ("jig", None)]


async def test_what_is_no_picture_and_too_many(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is counted, with its place, and costs nothing else."""
    monkeypatch.setenv("CUSTOM_EMOJI_MOST", "1")
    lines = [{"type": "version", "version": 1}]
    for n, name in enumerate(("acme", "jig", "scribble")):
        lines.append({"type": "emoji", "emoji": {"name": name, "image": f"{n}"}})
    shown: dict[str, Any] = {"data/0": LOGO, "data/1": JIG, "data/2": b"notes"}
    with zipfile.ZipFile(tmp_path / "mm.zip", "w") as archive:
        archive.writestr("import.jsonl", b"\n".join(map(orjson.dumps, lines)))
        for name, data in shown.items():
            archive.writestr(name, data)
    assert await imports(database_url, tmp_path / "mm.zip", files_url=tmp_path.as_uri()) == 0
    told = capsys.readouterr().err
    assert "1 custom emoji that are not pictures, or too large (2)" in told
    assert "1 custom emoji beyond the number that CUSTOM_EMOJI_MOST allows (1)" in told


def test_a_broken_list_costs_only_itself(tmp_path: Path) -> None:
    """Slack's list of emoji may be anything."""
    for content in ("{", "[1]", '{"emoji": 5}', '{"acme": {"a": 1}}', '{"acme": "alias:acme"}'):
        items, _ = reads(write_slack(tmp_path / "farm.zip", slack_files() | {"emoji.json": content}))
        assert len(items) > 20
