"""What a message of a Slack export becomes: the words of blocks, attachments and files, and who said them.

The shapes are those of exports that Slack and slackdump wrote.
"""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chat.transfer.archive import Archive
from chat.transfer.records import Item, LineError, MessageRecord, SkippedItem, UserRecord
from chat.transfer.slack import Workspace, is_slack
from tests.transfer.files import Json, exports, imports
from tests.transfer.slack_export import said, user, write_slack

DAY = "case/2024-05-01.json"
CASE = {"id": "C1", "name": "case", "created": 1714550000, "creator": "U1", "members": ["U1", "U2"]}
USERS = [user("U1", "una"), user("U2", "duo")]


def case(*messages: Json, **files: Any) -> Json:
    """Return the files of an export with one channel, and these messages in it."""
    days = [message | {"ts": message.get("ts") or f"1714550000.{n:06}"} for n, message in enumerate(messages)]
    return {"users.json": USERS, "channels.json": [CASE], DAY: [*days]} | files


def reads(path: Path) -> list[Item]:
    """Return the items of an export."""
    return list(Workspace(Archive(path)).read())


def told(tmp_path: Path, files: Json) -> tuple[list[tuple[str, str]], list[str]]:
    """Return author and text of each message of an export, and what was left out."""
    items = reads(write_slack(tmp_path / "slack.zip", files))
    messages = [(one.author, one.body) for one in items if isinstance(one, MessageRecord)]
    return messages, [one.what for one in items if isinstance(one, SkippedItem)]


def rich(*elements: Json) -> list[Json]:
    """Return a block of rich text."""
    return [{"type": "rich_text", "block_id": "x", "elements": list(elements)}]


def words(text: str, **style: bool) -> Json:
    """Return a piece of rich text."""
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def section(*elements: Json) -> Json:
    """Return a paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def items(style: str, indent: int, *texts: str, **more: int) -> Json:
    """Return a list of rich text."""
    return {"type": "rich_text_list", "style": style, "indent": indent, **more} | {
        "elements": [section(words(text)) for text in texts]
    }


def mrkdwn(text: str) -> Json:
    """Return a section with Slack's markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


BLOCKS = {
    "see https://e.example/x and ask @duo 🎉 **in** _**time**_ ~~`co*de`~~": rich(
        section(
            words("see "),
            {"type": "link", "url": "https://e.example/x"},
            words(" and ask "),
            {"type": "user", "user_id": "U2"},
            words(" "),
            {"type": "emoji", "name": "tada", "unicode": "1f389"},
            words(" "),
            words("in", bold=True),
            words(" "),
            words("time", bold=True, italic=True),
            words(" "),
            words("co*de", code=True, strike=True),
        )
    ),
    "- one\n    1. first\n    2. second\n- two\n    1. third\n\nafter": rich(
        items("bullet", 0, "one"),
        items("ordered", 1, "first", "second"),
        items("bullet", 0, "two"),
        items("ordered", 1, "third"),
        section(words("after")),
    ),
    "1. a\n2. b\n    - deep\n3. c": rich(
        items("ordered", 0, "a", "b"), items("bullet", 1, "deep"), items("ordered", 0, "c", offset=2)
    ),
    "> asked\n> twice\n\nanswered\n```\nif x:\n    @duo\n```": rich(
        {"type": "rich_text_quote", "elements": [words("asked\ntwice")]},
        section(words("answered\n")),
        {"type": "rich_text_preformatted", "elements": [words("if x:\n    "), {"type": "user", "user_id": "U2"}]},
    ),
    "2 * 3 * 4 \\*b\\* \\_i\\_ \\`c\\` __init__\n\\> not quoted": rich(
        section(words("2 * 3 * 4 *b* _i_ `c` __init__\n> not quoted"))
    ),
    "@here @S77 #case 🤙🏽 :partyparrot:": rich(
        section(
            {"type": "broadcast", "range": "here"},
            words(" "),
            {"type": "usergroup", "usergroup_id": "S77"},
            words(" "),
            {"type": "channel", "channel_id": "C1"},
            words(" "),
            {"type": "emoji", "name": "call_me_hand", "skin_tone": 4},
            words(" "),
            {"type": "emoji", "name": "partyparrot"},
        )
    ),
    "**Disk full** on [db1](<https://db1.example>)\n**Host:**\ndb1\n[Fix it](<https://fix.example>)": [
        mrkdwn("*Disk full* on <https://db1.example|db1>"),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Host:*\ndb1"}]},
        {"type": "divider"},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Fix it"}, "url": "https://fix.example"}
            ],
        },
    ],
    "**Report**\nCat [a cat](<https://e.example/cat.png>)\nseen by Bob": [
        {"type": "header", "text": {"type": "plain_text", "text": "Report"}},
        {"type": "image", "image_url": "https://e.example/cat.png", "alt_text": "a cat"}
        | {"title": {"type": "plain_text", "text": "Cat"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "seen by Bob"}]},
    ],
    "| **Head** | b |\n| --- | --- |\n| x\\|y |  |": [
        {
            "type": "table",
            "rows": [
                [*rich(section(words("Head", bold=True))), {"type": "raw_text", "text": "b"}],
                rich(section(words("x|y"))),
            ],
        }
    ],
    "unknown\nwords within": [{"type": "carousel", "title": "unknown", "elements": [mrkdwn("words within")]}],
}


@pytest.mark.parametrize("shown", BLOCKS)
def test_blocks_are_shown_as_in_slack(tmp_path: Path, shown: str) -> None:
    """Blocks become Markdown; the text beside them is a copy for clients that cannot show blocks."""
    bot = {"subtype": "bot_message", "bot_id": "B1", "username": "alerts"}
    message = {"type": "message", "text": "This content can't be displayed.", "blocks": BLOCKS[shown]} | bot
    messages, left = told(tmp_path, case(message))
    assert messages == [("alerts", shown)]
    assert left[0] == "texts that Slack shows only where blocks cannot be shown"


def test_attachments_are_quoted(tmp_path: Path) -> None:
    """A bot's attachment and a forwarded message are quotes; previews of links that the text has are counted."""
    disk = {"fallback": "[no preview available]", "color": "e01e5a", "blocks": [mrkdwn("*Disk full* on `db1`")]}
    build = {"pretext": "Build 7", "author_name": "Jenkins", "title": "log", "title_link": "https://ci.example"}
    build |= {"text": "all *green*", "fields": [{"title": "Branch", "value": "main"}], "footer": "by CI"}
    forward = {"from_url": "https://w.example/archives/C2/p1", "is_msg_unfurl": True, "is_share": True}
    forward |= {"author_name": "Duo Two", "text": "the *original*", "footer": "Posted in #other", "author_id": "U2"}
    inner = {"message": {"blocks": rich(section(words("in blocks")))}}
    preview = {"from_url": "https://e.example/x", "title": "A page", "text": "about it", "service_name": "Example"}
    messages, left = told(
        tmp_path,
        case(
            said("", "U1", "", attachments=[disk]),
            said("", "U1", "done", attachments=[build]),
            said("", "U1", "", attachments=[forward]),
            said("", "U1", "look", attachments=[forward | {"message_blocks": [inner]}]),
            said("", "U1", "see <https://e.example/x>", attachments=[preview]),
            said("", "U1", "without its link", attachments=[preview]),
        ),
    )
    head = "> **Duo Two** · [Posted in #other](<https://w.example/archives/C2/p1>)\n"
    assert [body for _, body in messages] == [
        "> **Disk full** on `db1`",
        "done\nBuild 7\n> Jenkins\n> [log](<https://ci.example>)\n> all **green**\n> Branch: main\n> by CI",
        f"{head}> the **original**",
        f"look\n{head}> in blocks",
        "see https://e.example/x",
        "without its link\n> A page\n> about it",
    ]
    assert left.count("previews of links") == 1
    assert "text in attachments.service_name" in left


def test_messages_are_by_those_who_said_them(tmp_path: Path) -> None:
    """Bots are told apart by `bot_id`, a comment is by its author, and a guest is not the local user of that name."""
    bots = [
        {"id": f"U{n}", "name": f"bot{n}", "is_bot": True, "profile": {"bot_id": f"B{n}", "real_name": f"Bot {n}"}}
        for n in (1, 2)
    ]
    listed = {"users.json": [*USERS, *({**one, "id": f"UB{n}"} for n, one in enumerate(bots))]}
    profile = {"real_name": "Una Elsewhere", "display_name": "una-e", "name": "una", "team": "T9"}
    messages = [
        said("", "U1", "ask <@U99> first"),
        {"text": "deployed", "subtype": "bot_message", "bot_id": "B1"},
        {"text": "hot", "subtype": "bot_message", "bot_id": "B2"},
        {"text": "named", "subtype": "bot_message", "bot_id": "B2", "username": "Weather"},
        {"text": "unlisted", "subtype": "bot_message", "bot_id": "B3", "bot_profile": {"name": "Thirdbot"}},
        {"text": "<@U2> commented: good", "subtype": "file_comment", "comment": {"user": "U2", "comment": "good"}},
        said("", "U99", "from elsewhere", user_team="T9", user_profile=profile),
        said("", "U1", "with an id of ours", user_team="T9", user_profile=profile | {"name": "uno"}),
    ]
    path = write_slack(tmp_path / "slack.zip", case(*messages, **listed))
    found = reads(path)
    shown = {one.name: (one.id, one.display_name) for one in found if isinstance(one, UserRecord)}
    assert [one.about for one in found if isinstance(one, UserRecord) and one.id == "U99"] == ["Una Elsewhere"]
    told_by = [shown[one.author] for one in found if isinstance(one, MessageRecord)]
    assert told_by == [
        ("U1", "Una"),
        ("UB0", "Bot 1"),
        ("UB1", "Bot 2"),
        ("B2 Weather", "Weather"),
        ("B3 Thirdbot", "Thirdbot"),
        ("U2", "Duo"),
        ("U99", "una-e"),
        ("T9:U1", "una-e"),
    ]
    first = next(one for one in found if isinstance(one, MessageRecord))
    assert shown[first.mentions[0]] == ("U99", "una-e")


def test_files_bring_their_words(tmp_path: Path) -> None:
    """Snippets, posts, e-mails and canvases show their text and title; bytes in the archive become files."""
    snippet = {"id": "F1", "mode": "snippet", "name": "a.py", "title": "a.py", "preview": "print(1)", "lines_more": 2}
    snippet |= {"url_private": "https://files.example/a.py?t=xoxe-secret"}
    canvas = {
        "id": "F2",
        "mode": "quip",
        "name": "Untitled",
        "title": "Plan of May",
        "permalink": "https://e.example/c",
    }
    mail = {"id": "F3", "mode": "email", "title": "Hello", "subject": "Hello there", "plain_text": "dear all"}
    post = {"id": "F4", "mode": "space", "title": "Notes", "preview": "<document><p>first &amp; last</p></document>"}
    upload = {"id": "F5", "mode": "hosted", "name": "cat.png", "mimetype": "image/png", "size": 3}
    gone = {"id": "F6", "mode": "tombstone"}
    files = [snippet, canvas, mail, post, upload, gone]
    bytes_of = {"__uploads/F5/cat.png": b"png", "__avatars/U1/face.jpg": b"jpg"}
    found = reads(write_slack(tmp_path / "a.zip", case(said("", "U1", "", files=files), **bytes_of)))
    (message,) = [one for one in found if isinstance(one, MessageRecord)]
    assert message.body.split("\n") == [
        "```", "print(1)", "…", "```", "Plan of May", "📎 Hello", "Hello there", "dear all",
        "📎 Notes", "first & last", "📎 deleted file",
    ]  # fmt: skip
    assert [(one.name, one.path, one.url) for one in message.files] == [
        ("a.py", None, "https://files.example/a.py"),
        ("Untitled", None, "https://e.example/c"),
        ("cat.png", "__uploads/F5/cat.png", None),
    ]
    (una,) = [one for one in found if isinstance(one, UserRecord) and one.id == "U1"]
    assert una.avatar
    assert una.avatar.path == "__avatars/U1/face.jpg"


def test_replies_and_huddles(tmp_path: Path) -> None:
    """A reply sent to the channel too is in the thread and the channel; a huddle names those who were in it."""
    room = {"id": "R1", "date_start": 1714550000, "date_end": 1714550720, "participant_history": ["U1", "U2"]}
    reply = said("1714550005.000000", "U2", "me too", subtype="thread_broadcast", thread_ts="1714550001.000000")
    files = case(
        reply,
        said("1714550001.000000", "U1", "who comes?"),
        reply
        | {"ts": "1714550007.000000", "text": "", "files": [{"id": "F1", "name": "a", "url_private": "https://e.org"}]},
        said("1714550009.000000", "U1", "A huddle started", subtype="huddle_thread", room=room),
    )
    found = [one for one in reads(write_slack(tmp_path / "a.zip", files)) if isinstance(one, MessageRecord)]
    assert [MessageRecord.model_validate_json(one.model_dump_json()) for one in found] == found
    root = {"author": "una", "client_id": "slack-1714550001.000000"}
    assert [(one.body, one.thread and one.thread.model_dump() == root) for one in found] == [
        ("who comes?", None),
        ("me too", True),
        ("me too", None),
        ("", True),
        ("[a](<https://e.org>)", None),
        ("A huddle started\n_Huddle · @una @duo · 12 min_", None),
    ]
    assert found[2].reply_to
    assert found[2].reply_to.model_dump() == root
    assert len({one.client_id for one in found}) == 6


def test_one_bad_entry_does_not_cost_the_day(tmp_path: Path) -> None:
    """Half a character, NUL, bad UTF-8, and entries that are no JSON: all others of the day are read."""
    half = b'[{"ts":"1.1","user":"U1","text":"half \\ud83d end"},{"ts":"1.2","user":"U1","text":"nul \\u0000 end"}]'
    broken = (
        b'[\n{"ts":"2.1","user":"U1","text":"before"},\n{"ts":"2.2", oops},\n{"ts":"2.3","user":"U1","text":"after"}\n]'
    )
    files = case(
        **{DAY: half, "case/2024-05-02.json": broken, "case/2024-05-03.json": b'[{"ts":"3.1","text":"\xff!"}]'}
    )
    found = reads(write_slack(tmp_path / "a.zip", files))
    assert [one.body for one in found if isinstance(one, MessageRecord)] == [
        "half � end", "nul � end", "before", "after", "�!",
    ]  # fmt: skip
    (error,) = [one for one in found if isinstance(one, LineError)]
    assert error.place == "case/2024-05-02.json:3"


def test_an_export_is_found_in_other_wrappings(tmp_path: Path) -> None:
    """A re-zipped export, an unpacked one, and one that was zipped on a Mac are the same export."""
    files = case(said("", "U1", "here")) | {".DS_Store": b"x"}
    wrapped = {f"export May 2024/{name}": content for name, content in files.items()}
    paths = [
        write_slack(tmp_path / "plain.zip", files),
        write_slack(tmp_path / "wrapped.zip", wrapped | {"__MACOSX/export May 2024/._users.json": b"x"}),
        tmp_path / "unpacked",
    ]
    shutil.unpack_archive(paths[1], paths[2])
    assert all(is_slack(Archive(path)) for path in paths)
    first, *others = [[item for item in reads(path) if isinstance(item, MessageRecord)] for path in paths]
    assert [one.body for one in first] == ["here"]
    assert others == [first, first]


def test_enterprise_grid(tmp_path: Path) -> None:
    """The organization's users and the channels of all its workspaces are read, each conversation once."""
    users = [one | {"enterprise_user": {"enterprise_id": "E1"}} for one in USERS]
    shared = CASE | {"id": "C2", "name": "shared"}
    files = {
        "org_users.json": users,
        "channels.json": [shared],
        "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
        "D1/2024-05-01.json": [said("4.1", "U1", "direct")],
        "shared/2024-05-01.json": [said("1.1", "U1", "of all")],
        "teams/One/channels.json": [CASE, shared],
        "teams/One/case/2024-05-01.json": [said("2.1", "U1", "of one")],
        "teams/Two/groups.json": [CASE | {"id": "G1"}],
        "teams/Two/case/2024-05-01.json": [said("3.1", "U2", "of two")],
    }
    path = write_slack(tmp_path / "grid.zip", files)
    assert Workspace(Archive(path)).team == "E1"
    found = reads(path)
    said_in = {(one.conversation, one.body) for one in found if isinstance(one, MessageRecord)}
    assert said_in == {("C2", "of all"), ("C1", "of one"), ("G1", "of two"), ("D1", "direct")}


def test_other_folders_are_counted(tmp_path: Path) -> None:
    """Talk beside canvases, canvases, lists and unknown conversations are left out, each entry counted."""
    other = {
        "FC:F1:plan/2024-05-01.json": [said("1.1", "U1", "about the plan"), said("1.2", "U1", "more")],
        "gone/2024-05-01.json": [said("1.3", "U1", "not listed")],
        "canvases.json": [{"id": "F1", "title": "plan"}],
        "case/canvas_in_the_conversation.json": [{"id": "F1"}],
        "huddle_transcripts.json": [""],
        "notes/mine.json": {"not": "of Slack"},
    }
    messages, left = told(tmp_path, case(said("", "U1", "x"), **other))
    assert messages == [("una", "x")]
    wrong = reads(write_slack(tmp_path / "wrong.zip", {"channels.json": [{"name": "no id"}]} | other))
    assert [one.place for one in wrong if isinstance(one, LineError)] == ["channels.json"]
    assert sorted(left) == [
        "entries of canvas_in_the_conversation.json",
        "entries of canvases.json",
        "files of another kind",
        *["messages beside canvases and lists, or of conversations that the export does not list"] * 3,
    ]


class UnflaggedInfo(zipfile.ZipInfo):
    """A file whose name is written as Slack does: in UTF-8, without the flag that says so."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits & ~0x800


async def test_an_export_with_all_of_it_is_imported(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A channel whose name the ZIP stores without the UTF-8 flag has its messages; links to files are in them."""
    kitchen = CASE | {"name": "küche"}
    plan = {"id": "F1", "name": "plan.pdf", "url_private": "https://files.example/plan.pdf"}
    files = case(**{"channels.json": [kitchen], DAY: []}) | {
        "küche/2024-05-01.json": [said("1714550000.1", "U1", "in the kitchen", files=[plan])]
    }
    path = tmp_path / "slack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(UnflaggedInfo(name), json.dumps(content))
    with zipfile.ZipFile(path) as archive:
        assert "küche/2024-05-01.json" not in archive.namelist()
    assert await imports(database_url, path) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 new, 0 known, 0 invalid"
    lines = await exports(database_url, tmp_path / "out.jsonl")
    (message,) = [line for line in lines if line["type"] == "message"]
    assert message["body"] == "in the kitchen\n[plan.pdf](<https://files.example/plan.pdf>)"
