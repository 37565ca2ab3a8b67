"""A Slack export: users, conversations, and messages in Slack's markup."""

import zipfile
from pathlib import Path

import pytest

from chat.transfer.errors import BadArchive, UnknownFile
from chat.transfer.records import ConversationRecord
from chat.transfer.slack_markup import MarkdownWriter
from chat.transfer.text import find_emoji, show_emoji
from tests.cast import Cast
from tests.transfer import emoji_table
from tests.transfer.files import Json, exports, imports, reads, write_people
from tests.transfer.slack_export import GARDEN, said, slack_files, write_slack
from tests.verbs import CONVERSATIONS, sees


def messages(lines: list[Json], conversation: int) -> list[Json]:
    """Return the channel's messages."""
    return [line for line in lines if line["type"] == "message" and line["conversation"] == conversation]


async def test_everything_in_it_is_imported(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Ana has an account already; members, roles, and messages with everything attached are imported."""
    (ana,) = await cast.enters("ana")
    people = write_people(tmp_path / "people.csv", ana="ana")
    assert await imports(database_url, write_slack(tmp_path / "slack.zip"), people=people) == 0
    mine = {one["name"] or one["kind"]: one for one in (await sees(ana))["conversations"]}
    assert sorted(mine) == ["direct", "garden", "group"]
    assert [one["unread"] for one in mine.values()] == [0, 0, 0]
    assert (mine["garden"]["role"], mine["garden"]["topic"], mine["garden"]["private"]) == (
        "owner",
        "what grows · all",
        False,
    )
    lines = await exports(database_url, tmp_path / "out.jsonl")
    places = {line["name"]: line for line in lines if line["type"] == "conversation" and "name" in line}
    assert "archived_at" in places["secret"]
    assert places["secret"]["private"] is True
    owners = {(line["conversation"], line["user"]) for line in lines if line.get("role") == "owner"}
    assert (places["kitchen"]["id"], "ben.okafor") in owners  # its creator has left, and there is no admin
    garden = messages(lines, mine["garden"]["id"])
    check_garden(garden)
    (pin,) = [line for line in lines if line["type"] == "pin"]
    assert (pin["user"][:6], pin["message"]["client_id"]) == ("chloe-", garden[1]["client_id"])


def check_garden(garden: list[Json]) -> None:
    """Check the channel with everything that can happen."""
    bodies = [line["body"] for line in garden]
    assert bodies[0] == "_@ana has joined the channel_"
    assert bodies[1] == "hi @ana & @here, **bold** _it_ ~~no~~ `a < b` 🎉 :nope:"
    assert (garden[1]["mentions"], garden[1]["mentions_all"]) == (["ana"], "here")
    assert bodies[2] == "see [the *list*](<https://example.org/a_b>) in #kitchen"
    assert garden[2]["edited_at"] == "2024-05-01T08:02:10.000Z"
    assert garden[2]["created_at"] == "2024-05-01T08:02:00.000Z"
    assert [(one["emoji"], len(one["users"])) for one in garden[2]["reactions"]] == [("👍🏼", 2)]
    assert garden[3]["thread"] == {"author": "ana", "client_id": "slack-1714550520.000300"}
    assert "thread" not in garden[4]
    assert bodies[5] == "[plan (v2).pdf](<https://files.slack.com/plan.pdf>)"
    assert (bodies[6], "deleted_at" in garden[6]) == ("", True)
    assert bodies[7] == "built\n> [log](<https://ci.example.org>)\n> ok"
    assert bodies[8] == "from afar"
    assert "".join(bodies[9:11]).replace(" ", "") == "long" * 5_000
    assert [line["client_id"] for line in garden[9:11]] == ["slack-1714636940.001000", "slack-1714636940.001000.2"]
    assert bodies[11] == "only blocks"
    assert len(garden) == 12


async def test_a_later_export_adds_only_new_messages(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same export is recognized; a later one of the same workspace adds its new days to the same conversations."""
    assert await imports(database_url, write_slack(tmp_path / "one.zip")) == 0
    assert await imports(database_url, tmp_path / "one.zip") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 new, 15 known, 0 invalid"
    later = GARDEN | {"2024-05-03.json": [said("1714723200.000100", "U3CHLOE", "later", thread_ts="1714550520.000300")]}
    assert await imports(database_url, write_slack(tmp_path / "two.zip", slack_files(later))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 new, 15 known, 0 invalid"
    lines = await exports(database_url, tmp_path / "out.jsonl")
    assert sum(line["type"] == "conversation" for line in lines) == 5
    (late,) = [line for line in lines if line.get("body") == "later"]
    assert late["thread"]["client_id"] == "slack-1714550520.000300"


async def test_a_dry_run_reports_what_would_be_imported(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run changes nothing; wrong entries are reported with file and line."""
    days = GARDEN | {"2024-05-04.json": [said("1", "U1ANA", "fine"), {"type": "message", "text": "when?"}]}
    files = slack_files(days) | {"kitchen/2024-05-01.json": '[{"ts": "1", "user": "U1ANA"\n oops}]'}
    assert await imports(database_url, write_slack(tmp_path / "slack.zip", files), dry=True) == 1
    told = capsys.readouterr()
    assert told.out == "16 messages would be imported, 2 invalid\n"
    assert "garden/2024-05-04.json:8: " in told.err
    assert "kitchen/2024-05-01.json:2: " in told.err
    assert "1 reactions with :partyparrot:" in told.err
    assert "1 replies to messages outside of the export" in told.err
    assert await exports(database_url, tmp_path / "out.jsonl") == []


async def test_a_name_that_is_taken_is_kept_apart(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """A channel of the same name stays unchanged."""
    (mallory,) = await cast.enters("mallory")
    ours = await cast.share(mallory, name="Garden")
    assert await imports(database_url, write_slack(tmp_path / "slack.zip")) == 0
    status, listed = await mallory.call("GET", "/api/chat/channels")
    assert status == 200
    assert sorted(one["name"] for one in listed["channels"]) == ["Garden", "garden 2", "kitchen"]
    status, page = await mallory.call("GET", f"{CONVERSATIONS}/{ours}/messages")
    assert page["messages"] == []


async def test_channel_links_lead_to_the_imported_channel(cast: Cast, database_url: str, tmp_path: Path) -> None:
    """If a channel gets another name, `#name` in the import is renamed, also in a second run, but not in code."""
    (mallory,) = await cast.enters("mallory")
    await cast.share(mallory, name="garden")
    words = "see <#C1GARDEN|garden>, #Garden. #gardens `#garden` <#C2KITCHEN>"
    for ts in ("1714550400.000100", "1714550400.000200"):
        files = slack_files({"2024-05-01.json": [said(ts, "U1ANA", words)]})
        assert await imports(database_url, write_slack(tmp_path / "slack.zip", files)) == 0
    lines = await exports(database_url, tmp_path / "out.jsonl")
    bodies = [line["body"] for line in lines if line["type"] == "message" and "see" in line["body"]]
    assert bodies == ["see #garden 2, #garden 2. #gardens `#garden` #kitchen"] * 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../../etc/passwd", b"x", "outside of the archive"),
        ("/etc/passwd", b"x", "outside of the archive"),
        ("general/..\\..\\x.json", b"x", "outside of the archive"),
        ("general/2024-01-01.json", b"[" + b" " * 2**26, "would unpack"),
    ],
)
async def test_a_hostile_archive_is_refused(
    database_url: str, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """Paths outside the archive, and files that unpack to far more than stated, are refused."""
    files = slack_files() | {name: content}
    with pytest.raises(BadArchive, match=reason):
        await imports(database_url, write_slack(tmp_path / "slack.zip", files))


async def test_unknown_files_are_refused(database_url: str, tmp_path: Path) -> None:
    """A ZIP of something else, a broken one, and a text are reported."""
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    (tmp_path / "text").write_text("dear diary\n")
    for name, trouble in (("other.zip", UnknownFile), ("broken.zip", BadArchive), ("text", UnknownFile)):
        with pytest.raises(trouble):
            await imports(database_url, tmp_path / name)


@pytest.mark.parametrize(
    ("slack", "ours"),
    [
        ("*a* and *b c*, 2*3*4, *not\nthis*", "**a** and **b c**, 2*3*4, *not\nthis*"),
        ("```x = *y* <https://e.org>```after", "```\nx = *y* https://e.org\n```\nafter"),
        ("`*code* &amp; :tada:` ~gone~", "`*code* & :tada:` ~~gone~~"),
        ("<mailto:a@b.org|a@b.org> <https://e.org>", "a@b.org https://e.org"),
        ("<javascript:alert(1)|click>", "click"),
        ("# no heading\n&gt; quoted", "\\# no heading\n> quoted"),
        ("<!subteam^S1|@gardeners> <!date^1^{date}|May 1>", "@gardeners May 1"),
        ("&amp;lt; stays", "&lt; stays"),
        ("at 10:30:45 :+1:", "at 10:30:45 👍"),
        ("~_*`code`*_~ and __init__", "~~_**`code`**_~~ and __init__"),
        ("`<@U2>` <!subteam^S1>", "`@U2` @S1"),
        ("&gt; asked\nanswered", "> asked\n\nanswered"),
        ("&gt;&gt;&gt; all\nof it", "> all\n> of it"),
        ("• one\n    ◦ sub\nafter", "- one\n    - sub\n\nafter"),
        ("<tel:123|call> <!date^1^{date}^https://e.org|May 1>", "call (tel:123) [May 1](<https://e.org>)"),
        ("<|shown> \ue000\ue0009\ue0019\ue001 <@a>", "shown  @a"),
    ],
)
def test_markup(slack: str, ours: str) -> None:
    """Slack's markup becomes Markdown; code stays code, and no address becomes a script."""
    assert MarkdownWriter(lambda user: user, lambda _, shown: shown).write(slack).body == ours


def test_emoji_names() -> None:
    """Names of Slack and Mattermost, with skin tones and flags, become emoji; custom emoji do not."""
    names = {
        "tada": "🎉",
        "thumbsup::skin-tone-6": "👍🏿",
        "wave_medium_dark_skin_tone": "👋🏾",
        "handshake::skin-tone-2-3": "🫱🏻‍🫲🏼",
        "people_holding_hands::skin-tone-4": "🧑🏽‍🤝‍🧑🏽",
        "female-doctor::skin-tone-4": "👩🏽‍⚕️",
        "tada::skin-tone-2": "🎉",
        "flag-pt": "🇵🇹",
        "heart": "❤️",
        "rainbow-flag": "🏳️‍🌈",
        "beetle": "🪲",
        "simple_smile": "🙂",
        "partyparrot": None,
    }
    assert {name: find_emoji(name) for name in names} == names
    assert show_emoji(":wave: a:b:c :handshake::skin-tone-2-3:") == "👋 a:b:c 🫱🏻‍🫲🏼"


def test_all_emoji_names_of_slack() -> None:
    """Each name of the list that Slack and Mattermost use gives its emoji; the committed table is up to date."""
    names = dict(emoji_table.listed())
    assert len(names) > 1_900
    assert {name: find_emoji(name) for name in names} == names
    assert emoji_table.FILE.read_text("utf-8") == emoji_table.table()


def test_topic_and_purpose_are_told_as_a_reader_saw_them(tmp_path: Path) -> None:
    """Both are one text, without markup. Words for which there is no space are counted."""
    purpose = "ask <@U1ANA|ana> in <#C2KITCHEN|kitchen> &amp; read <https://example.org/a|the plan> <https://b.example>"
    files = slack_files()
    files["channels.json"][0]["purpose"]["value"] = purpose
    files["channels.json"][1] |= {"topic": {"value": "soup " * 50}, "purpose": {"value": "and bread"}}
    items, counts = reads(write_slack(tmp_path / "slack.zip", files))
    topics = {one.name: one.topic for one in items if isinstance(one, ConversationRecord)}
    shown = "ask @ana in #kitchen & read the plan (https://example.org/a) https://b.example"
    assert topics["garden"] == f"what grows · {shown}"
    assert topics["kitchen"].startswith("soup soup")
    assert counts.skipped["text in purpose"] == 1
    assert counts.skipped["text in topic"] == 0
