"""A Mattermost bulk export: channels of teams, users, threads, direct and group messages."""

import zipfile
from pathlib import Path

import orjson
import pytest

from chat.transfer.records import ConversationRecord
from chat.transfer.text import account_name
from tests.cast import Cast
from tests.transfer.files import Json, bodies_in, exports, imports, reads, write_lines, write_people
from tests.transfer.mattermost_export import mattermost_lines, post, user
from tests.transfer.test_people import server
from tests.verbs import sees

LONG = "very.long.name.of.someone.who.has.one"


async def test_everything_in_it_is_imported(
    cast: Cast, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Posts and replies are in the order of their times; invalid names are changed."""
    ana, _ = await cast.enters("ana", "ben")
    people = write_people(tmp_path / "people.csv", ana="ana", ben="ben")
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *mattermost_lines()), people=people) == 0
    told = capsys.readouterr()
    assert told.out == "8 new, 0 known, 0 invalid\n"
    assert "skipped: 1 custom emoji :custom:, whose picture was not imported (custom.png)" in told.err
    mine = {one["name"] or one["kind"]: one for one in (await sees(ana))["conversations"]}
    assert sorted(mine) == ["Secret", "The Garden", "direct", "group"]
    assert {one["unread"] for one in mine.values()} == {0}
    lines = await exports(database_url, tmp_path / "out.jsonl", conversation=str(mine["The Garden"]["id"]))
    check_garden(lines, account_name(LONG))


def check_garden(lines: list[Json], long: str) -> None:
    """Check the channel's messages and members."""
    said = [line for line in lines if line["type"] == "message"]
    assert [line["body"] for line in said] == [
        "_ana joined the channel._",
        f"hi @ben and @{long}, `:tada:` 🎉",
        "first *reply*",
        "second reply",
        "edited",
        "📎 plan.pdf",
    ]
    assert said[1]["mentions"] == ["ben", long]
    assert said[1]["reactions"] == [{"emoji": "👍", "users": ["ben"]}, {"emoji": ":custom:", "users": ["ben"]}]
    assert [line.get("thread", {}).get("author") for line in said[1:5]] == [None, "ana", "ana", None]
    assert (said[2]["author"], said[2]["reactions"]) == (long, [{"emoji": "🎉", "users": ["ana"]}])
    assert "edited_at" in said[4]
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


async def test_direct_channels_of_current_servers(database_url: str, tmp_path: Path) -> None:
    """Newer servers list participants. Silent direct messages are created, and a group keeps its header."""
    people = [{"type": "user", "user": user(name)} for name in ("ana", "ben", "chloe")]
    directs = [
        {"header": "about us", "participants": [{"username": name} for name in ("ana", "ben", "chloe")]},
        {"header": "", "participants": [{"username": "ana"}, {"username": "ben"}]},
        {"participants": [{"username": "chloe"}]},
    ]
    said = {"channel_members": ["ben", "chloe", "ana"]} | post("ben", "hello both", 1)
    lines = [
        {"type": "version", "version": 1},
        *people,
        *({"type": "direct_channel", "direct_channel": one} for one in directs),
    ]
    file = write_lines(tmp_path / "mm.jsonl", *lines, {"type": "direct_post", "direct_post": said})
    assert await imports(database_url, file) == 0
    lines = await exports(database_url, tmp_path / "out.jsonl")
    made = [(one["kind"], one.get("topic"), one.get("people")) for one in lines if one["type"] == "conversation"]
    assert made == [("group", "about us", None), ("direct", None, ["ana", "ben"]), ("direct", None, ["chloe"])]


async def test_webhooks_speak_for_themselves(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A webhook with a name is an author of its own, and its attachments are quoted. Other fields are counted."""
    attachment = {"fallback": "build 7 failed", "title": "Build 7", "title_link": "https://ci.example/7"}
    attachment |= {"text": "failed in **test**", "fields": [{"title": "Branch", "value": "main", "short": True}]}
    props = {"from_webhook": "true", "override_username": "buildbot", "attachments": [attachment]}
    strange = {"from_webhook": "true", "override_username": "ben", "card": "hidden words"}
    posts = [post("ana", "", 1, props=props), post("ana", "by the hook", 2, props=strange), post("ben", "by ben", 3)]
    posts += [post("ana", "@all lunch, `@all`", 4), post("ana", "see `@all` and x@all.org", 5)]
    lines = server(*posts, ana={}, ben={})
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *lines)) == 0
    assert "skipped: 1 text in post.props.card (mm.jsonl:7)" in capsys.readouterr().err
    said = [line for line in await exports(database_url, tmp_path / "out.jsonl") if line["type"] == "message"]
    assert said[0]["author"] == "buildbot"
    assert said[0]["body"] == "> [Build 7](<https://ci.example/7>)\n> failed in **test**\n> Branch: main"
    assert (said[1]["author"][:4], said[2]["author"]) == ("ben-", "ben")
    assert [line.get("mentions_all") for line in said[3:]] == ["channel", None]


async def test_channels_of_two_teams_stay_apart(database_url: str, tmp_path: Path) -> None:
    """Channels with the same name in two teams are two channels. Header and purpose are the topic."""
    team = {"type": "team", "team": {"name": "sea", "display_name": "Sea People", "type": "O"}}
    channel = {
        "team": "sea",
        "name": "garden",
        "display_name": "Garden",
        "type": "O",
        "purpose": "kelp",
        "header": "wet",
    }
    lines = [*server(post("ana", "on land", 1), ana={}), team, {"type": "channel", "channel": channel}]
    lines.append({"type": "post", "post": {"team": "sea", "channel": "garden"} | post("ana", "at sea", 2)})
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *lines)) == 0
    lines = await exports(database_url, tmp_path / "out.jsonl")
    made = {one["id"]: (one["name"], one.get("topic")) for one in lines if one["type"] == "conversation"}
    assert [(made[one["conversation"]], one["body"]) for one in lines if one["type"] == "message"] == [
        (("Garden", None), "on land"),
        (("Garden (Sea People)", "wet · kelp"), "at sea"),
    ]


async def test_one_half_of_a_character_costs_nothing_else(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lone surrogate and a NUL become U+FFFD; a reply without a time costs only itself."""
    bad = {"user": "ana", "message": "when?"}
    lines = server(post("ana", "half @@", 1, replies=[bad, post("ana", "nul \0", 2)]), ana={})
    encoded = [orjson.dumps(line).replace(b"@@", b"\\ud83d") for line in lines]
    assert await imports(database_url, write_lines(tmp_path / "mm.jsonl", *encoded)) == 1
    assert capsys.readouterr().out == "2 new, 0 known, 1 invalid\n"
    said = [line for line in await exports(database_url, tmp_path / "out.jsonl") if line["type"] == "message"]
    assert [line["body"] for line in said] == ["half \ufffd", "nul \ufffd"]


async def test_the_report_is_also_json(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report says what came, what did not and why, with file and line."""
    file = write_lines(tmp_path / "mm.jsonl", *mattermost_lines(), b"{")
    assert await imports(database_url, file, as_json=True) == 1
    report = orjson.loads(capsys.readouterr().out)
    assert (report["source"], report["new"], report["known"], report["invalid"]) == ("Mattermost", 8, 0, 1)
    assert report["found"]["messages"] == 8
    assert report["created_accounts"] == 3
    emoji = "custom emoji :custom:, whose picture was not imported"
    assert {"what": emoji, "count": 1, "places": ["custom.png"]} in report["skipped"]
    assert report["errors"][0]["place"] == "mm.jsonl:16"


def test_what_plugins_show_is_kept_and_links_to_channels_name_them(tmp_path: Path) -> None:
    """Buttons and the choices of menus are words of a post. `~name` is the link to a channel."""
    menu = {"id": "m", "name": "Pick", "type": "select", "options": [{"text": "Sushi", "value": "7"}]}
    buttons = [{"id": "v0", "name": "Pizza (1)", "integration": {"url": "http://x", "context": {"a": "b"}}}, menu]
    place = {"team": "farm", "channel": "garden"}
    posts = [
        place | post("ana", "see ~garden, not `~garden` or /home/~garden", 11),
        place | post("ana", "", 12, props={"attachments": [{"title": "Lunch?", "actions": buttons}]}),
        {"team": "farm", "channel": "gone"} | post("ana", "a secret?", 14),
    ]
    lines = [*mattermost_lines()[:7], *({"type": "post", "post": one} for one in posts)]
    items, counts = reads(write_lines(tmp_path / "mm.jsonl", *lines))
    assert bodies_in(items) == [
        "see #The Garden, not `~garden` or /home/~garden",
        "> Lunch?\n> Pizza (1)\n> Pick\n> - Sushi",
        "a secret?",
    ]
    assert set(counts.skipped) == {"teams; their channels are imported"}
    private = {one.name: one.private for one in items if isinstance(one, ConversationRecord)}
    assert private["gone"], "nobody may read what the export does not say is public"
