"""Channels of Discord, as DiscordChatExporter writes them: alone, and in a ZIP with threads and media."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.transfer.records import ConversationRecord, PinRecord, UserRecord
from tests.transfer.files import bodies_in, exports, imports, messages_in, reads
from tests.transfer.foreign_exports import (
    ANA,
    BEN,
    discord_channel,
    discord_message,
    discord_user,
    write_json,
    write_zip,
)

THUMBS = {"id": "", "name": "👍", "code": "thumbsup", "isAnimated": False, "imageUrl": "https://cdn.example/t.svg"}
PARROT = {"id": "5", "name": "parrot", "code": "parrot", "isAnimated": True, "imageUrl": "https://cdn.example/p.gif"}
LOG = {"title": "Build 7", "url": "https://ci.example/7", "timestamp": None, "description": "# all\n**green**"}
EMBED: dict[str, Any] = LOG | {
    "color": "#00FF00",
    "author": {"name": "Buildbot", "url": "https://ci.example", "iconUrl": "https://cdn.example/b.png"},
    "image": {"url": "https://proxy.example/g", "canonicalUrl": "https://ci.example/g.png", "width": 1, "height": 1},
    "footer": {"text": "in 3 minutes"},
    "images": [],
    "fields": [{"name": "Branch", "value": "main", "isInline": True}],
    "inlineEmojis": [],
}


def zipped(path: Path, *channels: Any) -> Path:
    """Write channels as files of a ZIP."""
    files = {f"Farm - {n}.json": orjson.dumps(channel) for n, channel in enumerate(channels)}
    return write_zip(path, {**files, "Farm_Files/plan-1A2B.pdf": b"%PDF"})


async def test_a_channel_is_imported_and_a_second_time_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts, edits, replies, reactions and mentions come in; what has no place is counted."""
    said = [
        discord_message(10, "hi @Бен and @everyone <a:parrot:5>", mentions=[BEN]),
        discord_message(11, "**hello**", BEN, type="Reply", reference={"messageId": "10", "channelId": "9"}),
        discord_message(12, "edited", timestampEdited="2024-05-01T14:01:00+02:00"),
        discord_message(13, reactions=[{"emoji": THUMBS, "count": 3, "users": [ANA, BEN]}], embeds=[EMBED]),
        discord_message(14, "x", reactions=[{"emoji": PARROT, "count": 1, "users": [BEN]}]),
    ]
    path = write_json(tmp_path / "general.json", discord_channel(9, "general", *said, topic="All things"))
    assert await imports(database_url, path) == 0
    assert await imports(database_url, path) == 0
    told = capsys.readouterr()
    assert told.out == "5 new, 0 known, 0 invalid\n0 new, 5 known, 0 invalid\n"
    assert "1 reactions with parrot, which is not a Unicode emoji" in told.err
    lines = await exports(database_url, tmp_path / "out.jsonl")
    (place,) = [line for line in lines if line["type"] == "conversation"]
    assert (place["name"], place["topic"], place.get("private", False)) == ("general", "All things", False)
    first, answer, _, embed, _ = [line for line in lines if line["type"] == "message"]
    assert (first["body"], first["mentions"], first["mentions_all"]) == (
        "hi @ben and @everyone :parrot:",
        ["ben"],
        "channel",
    )
    assert answer["reply_to"]["client_id"] == "dc-10"
    assert answer["created_at"] == "2024-05-01T12:00:11.123Z"
    assert embed["body"].splitlines() == [
        "> Buildbot",
        "> https://ci.example",
        "> [Build 7](<https://ci.example/7>)",
        "> \\# all",
        "> **green**",
        "> **Branch**: main",
        "> https://ci.example/g.png",
        "> in 3 minutes",
    ]
    assert embed["reactions"] == [{"emoji": "👍", "users": ["ana", "ben"]}]


def test_threads_stand_under_their_message(tmp_path: Path) -> None:
    """Whatever the order of the files: a thread begins at its message, its announcement, or its own first message."""
    parent = discord_channel(
        9,
        "general",
        discord_message(20, "who comes?"),
        discord_message(
            21, "Started a thread.", type="ThreadCreated", reference={"messageId": None, "channelId": "99"}
        ),
    )
    kind = {"type": "GuildPublicThread", "categoryId": "9", "category": "general"}
    starter = discord_message(30, type="21", reference={"messageId": "20", "channelId": "9"})
    under = discord_channel(
        20, "Guests", starter, discord_message(31, "I do", BEN), discord_message(32, "me too"), **kind
    )
    announced = discord_channel(99, "Aside", discord_message(40, "psst"), **kind)
    forum = {"type": "GuildPublicThread", "categoryId": "8", "category": "questions"}
    post = discord_channel(50, "How?", discord_message(50, "how do I?"), discord_message(51, "so", BEN), **forum)
    items, counts = reads(zipped(tmp_path / "farm.zip", under, announced, post, parent))
    assert [(one.body, one.thread and one.thread.client_id) for one in messages_in(items)] == [
        ("who comes?", None),
        ("_Started a thread._", None),
        ("**Guests**\nI do", "dc-20"),
        ("me too", "dc-20"),
        ("**Aside**\npsst", "dc-21"),
        ("**How?**\nhow do I?", None),
        ("so", "dc-50"),
    ]
    assert [one.name for one in items if isinstance(one, ConversationRecord)] == ["general", "questions"]
    assert dict(counts.skipped) == {"repetitions of the first message of a thread": 1}


def test_files_stickers_forwards_and_pins(tmp_path: Path) -> None:
    """Media beside the export are members of the archive; others keep their address."""
    plan = {"id": "1", "url": "Farm_Files\\plan-1A2B.pdf", "fileName": "plan.pdf", "fileSizeBytes": 4}
    photo = {"id": "2", "url": "https://cdn.example/photo.jpg", "fileName": "photo.jpg", "fileSizeBytes": 9}
    lost = {"id": "3", "url": "Farm_Files/lost.jpg", "fileName": "lost.jpg", "fileSizeBytes": 9}
    wave = {"id": "4", "name": "Wave", "format": "Png", "sourceUrl": "https://cdn.example/wave.png"}
    afar = discord_message(0, "from afar", attachments=[photo])
    forwarded = {name: afar[name] for name in ("timestamp", "content", "attachments", "embeds", "stickers")}
    used = {"id": "5", "name": "weather", "user": BEN}
    said = [
        discord_message(10, attachments=[plan, photo, lost], stickers=[wave], isPinned=True),
        discord_message(
            11,
            "see",
            forwardedMessage={name: forwarded[name] for name in ("content", "attachments", "embeds", "stickers")},
        ),
        discord_message(12, "Pinned a message.", BEN, type="ChannelPinnedMessage", reference={"messageId": "10"}),
        discord_message(13, "sunny", type="20", interaction=used),
    ]
    items, counts = reads(zipped(tmp_path / "farm.zip", discord_channel(9, "general", *said)))
    first, forward, *_ = messages_in(items)
    assert [(one.name, one.path, one.url) for one in first.files] == [
        ("plan.pdf", "Farm_Files/plan-1A2B.pdf", None),
        ("photo.jpg", None, "https://cdn.example/photo.jpg"),
        ("lost.jpg", None, None),
        ("Wave", None, "https://cdn.example/wave.png"),
    ]
    assert (forward.body, [one.name for one in forward.files]) == ("see\n_Forwarded:_\n> from afar", ["photo.jpg"])
    assert bodies_in(items)[2:] == ["_Pinned a message._", "_Бен used /weather_\nsunny"]
    (pin,) = [one for one in items if isinstance(one, PinRecord)]
    assert (pin.user, pin.message.client_id) == ("ben", "dc-10")
    assert dict(counts.skipped) == {"files that the export leaves out": 1}


def test_webhooks_and_two_users_of_one_name_stay_apart(tmp_path: Path) -> None:
    """A webhook writes under many names; two ids are two users."""
    hook = {"isBot": True, "discriminator": "0000"}
    said = [
        discord_message(10, "a", discord_user(7, "Deploys", **hook)),
        discord_message(11, "b", discord_user(7, "Alerts", **hook)),
        discord_message(12, "c", discord_user(8, "Alerts")),
    ]
    items, _ = reads(write_json(tmp_path / "c.json", discord_channel(9, "general", *said)))
    assert len({one.author for one in messages_in(items)}) == 3
    users = [one for one in items if isinstance(one, UserRecord)]
    assert [one.display_name for one in users] == ["Deploys", "Alerts", "Alerts"]
    assert [one.avatar and one.avatar.url for one in users] == [f"https://cdn.example/{n}.png" for n in (7, 7, 8)]


def test_avatars_are_found_among_the_media(tmp_path: Path) -> None:
    """An export with media names avatars by their paths, on Windows with backslashes."""
    near, far = discord_user(1, "ana", avatarUrl="g.json_Files\\1-A.png"), discord_user(2, "ben", avatarUrl="x\\2.png")
    channel = discord_channel(9, "general", discord_message(10, "a", near), discord_message(11, "b", far))
    path = write_zip(tmp_path / "d.zip", {"d/g.json": orjson.dumps(channel), "d/g.json_Files/1-A.png": b"picture"})
    users = {one.name: one for one in reads(path)[0] if isinstance(one, UserRecord)}
    assert {name: one.avatar and one.avatar.path for name, one in users.items()} == {
        "ana": "g.json_Files/1-A.png",
        "ben": None,
    }


def test_direct_chats(tmp_path: Path) -> None:
    """Two authors are the two people; with one author the other is not known, so it is a private channel."""
    kind = {"type": "DirectTextChat", "categoryId": None, "category": None}
    both = discord_channel(9, "Бен", discord_message(10, "hi"), discord_message(11, "ho", BEN), **kind)
    alone = discord_channel(9, "Бен", discord_message(10, "hi"), **kind)
    for channel, expected in ((both, ("direct", "", 2)), (alone, ("channel", "Бен", 0))):
        items, _ = reads(write_json(tmp_path / "dm.json", channel))
        (place,) = [one for one in items if isinstance(one, ConversationRecord)]
        assert (place.kind, place.name, len(place.people)) == expected
        assert place.private


def test_a_bad_message_costs_nothing_but_itself(tmp_path: Path) -> None:
    """Broken messages, and a file that ends early, are named by their lines."""
    channel = orjson.dumps(discord_channel(9, "general", discord_message(10, "fine"), discord_message(11, "also")))
    broken = channel.replace(b'"also"', b'"al\\so"')
    whole = discord_channel(8, "other", discord_message(12, "hello"))
    path = write_zip(
        tmp_path / "f.zip", {"a.json": broken[:-10], "b.json": orjson.dumps(whole), "c.json": b'{"guild": 1}'}
    )
    items, counts = reads(path)
    assert bodies_in(items) == ["fine", "hello"]
    assert [error.place for error in counts.errors] == ["c.json:1", "a.json:1", "a.json:1"]


@pytest.mark.parametrize(
    "names", [("Farm [9].json", "Farm [9] [part 2].json"), ("x [part 2].json", "x [part 10].json")]
)
def test_replies_in_further_parts_keep_what_they_answer(tmp_path: Path, names: tuple[str, str]) -> None:
    """The names of parts do not sort in their order."""
    reply = discord_message(11, "yes", BEN, type="Reply", reference={"messageId": "10", "channelId": "9"})
    parts = discord_channel(9, "general", discord_message(10, "no?")), discord_channel(9, "general", reply)
    path = write_zip(tmp_path / "x.zip", {name: orjson.dumps(part) for name, part in zip(names, parts, strict=True)})
    items, counts = reads(path)
    assert [bool(one.reply_to) for one in messages_in(items)] == [False, True]
    assert not counts.skipped


def test_a_thread_that_begins_with_the_newest_message_is_read_from_its_oldest(tmp_path: Path) -> None:
    """The exporter has an option for that. A reply to what is not there is counted."""
    said = [
        discord_message(12, "third", type="Reply", reference={"messageId": "5", "channelId": "9"}),
        discord_message(11, "second", BEN, type="Reply", reference={"messageId": "10", "channelId": "9"}),
        discord_message(10, "first"),
    ]
    thread = discord_channel(77, "Plans", *said, type="GuildPublicThread", category="general", categoryId="9")
    items, counts = reads(write_json(tmp_path / "x.json", thread))
    third, second, first = messages_in(items)
    assert (first.body, first.thread, second.reply_to) == ("**Plans**\nfirst", None, third.thread)
    assert [one.thread and one.thread.client_id for one in (second, third)] == [first.client_id] * 2
    assert dict(counts.skipped) == {"replies to messages outside of the export, imported as messages": 1}


def test_mentions_are_whole_words_outside_of_code(tmp_path: Path) -> None:
    """An address calls nobody, and code stays as it is. Places, times and commands are shown as readers saw them."""
    text = "@Бенedikt <@2> `<@2>` me@everyone.example `@here` <#9> <t:1704099600:R> </play:55>"
    path = write_json(tmp_path / "x.json", discord_channel(9, "general", discord_message(10, text, mentions=[BEN])))
    (message,) = messages_in(reads(path)[0])
    (ben,) = message.mentions
    assert message.body == (f"@Бенedikt @{ben} `<@2>` me@everyone.example `@here` #general 2024-01-01 09:00 UTC /play")
    assert message.mentions_all is None
