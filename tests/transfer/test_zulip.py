"""A Zulip export: tables, messages by the thousand, and uploads, in a `.tar.gz`."""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.transfer.archive import TarArchive
from chat.transfer.errors import BadArchive
from chat.transfer.records import ConversationRecord, MemberRecord, UserRecord
from tests.transfer.files import bodies_in, exports, imports, messages_in, reads
from tests.transfer.foreign_exports import NOON, write_tar, zulip_message, zulip_tables

TADA = {"user_profile": 11, "message": 1, "emoji_name": "tada", "emoji_code": "1f389", "reaction_type": "unicode_emoji"}
PARROT = TADA | {"emoji_name": "parrot", "emoji_code": "4", "reaction_type": "realm_emoji"}
QUOTE = "@_**Ana Duarte|10** [said](https://farm.example/#narrow/near/1):\n```quote\nwho waters\n```\nI do `:tada:`"
UPLOADS = "the [plan](/user_uploads/2/ab/cd/plan.pdf) ![](/user_uploads/2/ab/ef/gone.png)"
HISTORY = [{"user_id": 11, "timestamp": NOON + 5, "prev_content": "I don't", "prev_topic": "Old name"}]


def garden() -> dict[str, Any]:
    """Return an export with everything in it."""
    edited = {"last_edit_time": NOON + 5.0, "edit_history": orjson.dumps(HISTORY).decode()}
    files = zulip_tables(
        zulip_message(1, 10, 41, "who waters @**Бен|11** and @**all**? :tada: #**секрет>plans**", "Watering"),
        zulip_message(2, 11, 41, QUOTE, "watering", **edited),
        zulip_message(
            3, 10, 41, "the [plan](/user_uploads/2/ab/cd/plan.pdf) ![](/user_uploads/2/ab/ef/gone.png)", "Watering"
        ),
        zulip_message(4, 10, 31, "hi ben"),
        zulip_message(5, 11, 30, "/me waves"),
        zulip_message(6, 10, 30, "note to self"),
        zulip_message(7, 12, 50, "```spoiler The end\nall *good*\n```"),
        zulip_message(8, 77, 42, "a guest, <time:2024-05-02T10:00:00Z>"),
        zerver_reaction=[TADA, PARROT],
        zerver_realmemoji=[{"name": "parrot"}],
    )
    upload = {"file_name": "plan (v2).pdf", "path_id": "2/ab/cd/plan.pdf", "size": 4, "content_type": "application/pdf"}
    return files | {"attachment.json": {"zerver_attachment": [upload]}, "uploads/2/ab/cd/plan.pdf": b"%PDF"}


async def test_an_organization_is_imported_and_a_second_time_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Streams become channels, topics threads; direct messages and groups are found by their members."""
    path = write_tar(tmp_path / "zulip.tar.gz", garden())
    store = (tmp_path / "store").as_uri()
    assert await imports(database_url, path, files_url=store) == 0
    assert await imports(database_url, path, files_url=store) == 0
    told = capsys.readouterr()
    assert told.out == "8 new, 0 known, 0 invalid\n0 new, 8 known, 0 invalid\n"
    lines = await exports(database_url, tmp_path / "out.jsonl")
    places = {line["id"]: line for line in lines if line["type"] == "conversation"}
    kinds = {line["body"]: places[line["conversation"]] for line in lines if line["type"] == "message"}
    assert kinds["hi ben"] is kinds["_waves_"]
    assert (kinds["hi ben"]["kind"], kinds["note to self"]["people"]) == ("direct", ["ana"])
    assert kinds["**The end**\n> all *good*"]["kind"] == "group"
    assert kinds["a guest, 2024-05-02T10:00:00Z"]["name"] == "секрет"
    (plan,) = [line for line in lines if line.get("files")]
    assert [(one["name"], one["size"]) for one in plan["files"]] == [("plan (v2).pdf", 4)]
    assert [one.read_bytes() for one in (tmp_path / "store").rglob("*") if one.is_file()] == [b"%PDF"]


def test_messages_of_a_topic(tmp_path: Path) -> None:
    """Mentions, quotes, uploads, reactions and edits are Tandem's; what has none is counted by its field."""
    items, counts = reads(write_tar(tmp_path / "zulip.tar.gz", garden()))
    first, answer, plan, *_ = messages_in(items)
    assert first.body == "**Watering**\nwho waters @ben and @channel? 🎉 #секрет > plans"
    assert (first.mentions, first.mentions_all, first.thread) == (["ben"], "channel", None)
    assert [(one.emoji, one.users) for one in first.reactions] == [("🎉", ["ben"])]
    assert first.created_at.isoformat() == "2024-05-01T12:00:01.250000+00:00"
    assert answer.body == "@ana [said](https://farm.example/#narrow/near/1):\n> who waters\n\nI do `:tada:`"
    assert answer.reply_to is not None
    assert answer.thread is not None
    assert (answer.reply_to.client_id, answer.thread.client_id, answer.mentions) == ("zulip-1", "zulip-1", [])
    assert [(one.body, one.user) for one in answer.edits] == [("I don't", "ben")]
    assert plan.body == "the plan"
    assert [(one.name, one.path) for one in plan.files] == [
        ("plan (v2).pdf", "uploads/2/ab/cd/plan.pdf"),
        ("gone.png", None),
    ]
    assert dict(counts.skipped) == {
        "custom emoji :parrot:, whose name cannot be that of one here": 1,
        "text in edit_history.prev_topic": 1,
        "files that the export leaves out": 1,
        "reactions with :parrot:, which is not a Unicode emoji": 1,
    }


def test_people_and_streams(tmp_path: Path) -> None:
    """Roles, addresses, zones, deactivated accounts, private streams and members come along."""
    items, _ = reads(write_tar(tmp_path / "zulip.tar.gz", garden()))
    ana, ben, chloe, bot, guest = [one for one in items if isinstance(one, UserRecord)]
    assert (ana.name, ana.email, ana.role, ana.time_zone) == ("ana", "ana@farm.example", "admin", "Europe/Lisbon")
    assert (ben.display_name, ben.role, ben.disabled_at) == ("Бен", "member", None)
    assert chloe.disabled_at is not None
    assert (bot.name, guest.display_name) == ("notification-bot", "User 77")
    streams = [one for one in items if isinstance(one, ConversationRecord) and one.name]
    assert [(one.name, one.topic, one.private) for one in streams] == [
        ("garden", "what grows", False),
        ("секрет", "", True),
    ]
    members = [(one.conversation, one.user) for one in items if isinstance(one, MemberRecord)]
    assert [user for place, user in members if place == "stream1"] == ["ana", "ben"]


def test_bad_rows_cost_nothing_but_themselves(tmp_path: Path) -> None:
    """A user without an id, a message to nobody and one without a time are named by their lines."""
    files = zulip_tables(
        zulip_message(1, 10, 999, "lost"), zulip_message(2, 10, 41, "fine"), zulip_message(3, 10, 41, "when?")
    )
    files["messages-000001.json"]["zerver_message"][2]["date_sent"] = None
    files["realm.json"]["zerver_userprofile"].append({"full_name": "Nobody"})
    items, counts = reads(write_tar(tmp_path / "zulip.tar.gz", files))
    assert bodies_in(items) == ["fine"]
    assert [error.place.partition(":")[0] for error in counts.errors] == ["realm.json", *["messages-000001.json"] * 2]


def hostile(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write an archive with these members."""
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "a/..\\..\\x"])
def test_paths_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    """A member whose path leads out of the archive makes it unsafe."""
    with pytest.raises(BadArchive, match="outside of the archive"):
        TarArchive(hostile(tmp_path / "bad.tar.gz", (tarfile.TarInfo(name), b"x")))


def test_links_and_devices_are_left_out_and_bombs_refused(tmp_path: Path) -> None:
    """Only files are members; an archive that unpacks to far more than its size is refused, and so is a broken one."""
    link, device, file = tarfile.TarInfo("x/link"), tarfile.TarInfo("x/device"), tarfile.TarInfo("x/file.json")
    link.type, link.linkname, device.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.CHRTYPE
    archive = TarArchive(hostile(tmp_path / "links.tar.gz", (link, b""), (device, b""), (file, b"{}")))
    assert archive.names() == ["file.json"]
    with archive.open("file.json") as opened:
        assert opened.read() == b"{}"
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(bytes(64 * 1024 * 1024)))
    (tmp_path / "cut.tar.gz").write_bytes((tmp_path / "links.tar.gz").read_bytes()[:60])
    for name, reason in (("bomb", "would unpack"), ("cut", "cannot be read")):
        with pytest.raises(BadArchive, match=reason):
            TarArchive(tmp_path / f"{name}.tar.gz")


def test_quotations_with_code_end_where_they_end(tmp_path: Path) -> None:
    """Zulip fences the quotation of a message with code by more backticks."""
    quoted = (
        "@_**Ana Duarte|10** [said](https://farm.example/#narrow/near/1):\n````quote\n```python\nx = 1\n```\n````\nfine"
    )
    shown = "````\n```quote\nno quotation\n```\n````"
    path = write_tar(
        tmp_path / "zulip.tar.gz",
        zulip_tables(zulip_message(1, 10, 41, "x"), zulip_message(2, 11, 41, quoted), zulip_message(3, 10, 41, shown)),
    )
    _, answer, code = bodies_in(reads(path)[0])
    assert answer.endswith(":\n> ```python\n> x = 1\n> ```\n\nfine")
    assert code == shown


def test_answers_to_polls_and_profile_fields_are_counted(tmp_path: Path) -> None:
    """They have texts of users, and no place in Tandem."""
    tables = zulip_tables(
        zulip_message(1, 10, 41, "/poll Lunch?\nPizza"),
        zerver_submessage=[{"id": 1, "message": 1, "sender": 11, "content": '{"type":"new_option","option":"Sushi"}'}],
        zerver_customprofilefieldvalue=[{"id": 1, "user_profile": 10, "value": "likes tea"}],
    )
    _, counts = reads(write_tar(tmp_path / "zulip.tar.gz", tables))
    assert dict(counts.skipped) == {"rows of submessage": 1, "rows of customprofilefieldvalue": 1}
