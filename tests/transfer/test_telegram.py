"""Telegram Desktop's `result.json`: one chat, and the chats of an account."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.transfer.records import ConversationRecord, MemberRecord, PinRecord
from chat.transfer.text import account_name
from tests.transfer.files import Json, bodies_in, exports, imports, messages_in, reads
from tests.transfer.foreign_exports import (
    telegram_account,
    telegram_chat,
    telegram_event,
    telegram_message,
    write_json,
    write_zip,
)

LEFT_OUT = "(File not included. Change data exporting settings to download.)"


def shown(path: Path, *messages: Json) -> list[str]:
    """Return the texts that come of these messages."""
    return bodies_in(reads(write_json(path, telegram_chat("private_supergroup", 9, "Сад", *messages)))[0])


async def test_an_account_is_imported_and_a_second_time_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Direct messages, groups and channels come in; what is no chat is counted."""
    hello = telegram_message(3, ["see ", {"type": "text_link", "text": "this", "href": "https://e.example/x"}])
    group = telegram_chat(
        "private_supergroup", 9, "Сад", hello, telegram_message(2, "first", 2), telegram_message(4, "", 3)
    )
    direct = telegram_chat("personal_chat", 2, "Бен", telegram_message(7, "hi", 2), telegram_message(8, "hello", 1))
    path = write_json(tmp_path / "result.json", telegram_account(group, direct))
    assert await imports(database_url, path) == 0
    assert await imports(database_url, path) == 0
    told = capsys.readouterr()
    assert told.out == "4 new, 0 known, 0 invalid\n0 new, 4 known, 0 invalid\n"
    assert "1 lists of contacts" in told.err
    assert "1 messages without any content" in told.err
    lines = await exports(database_url, tmp_path / "out.jsonl")
    places = {line["id"]: line for line in lines if line["type"] == "conversation"}
    said = {line["body"]: places[line["conversation"]] for line in lines if line["type"] == "message"}
    assert said["see [this](<https://e.example/x>)"]["name"] == "Сад"
    assert said["see [this](<https://e.example/x>)"]["private"] is True
    assert said["hi"]["kind"] == "direct"
    assert len(said["hi"]["people"]) == 2
    assert {line["display_name"] for line in lines if line["type"] == "user"} >= {"Ana Duarte", "Бен"}


def test_a_direct_chat_alone_finds_its_two_people(tmp_path: Path) -> None:
    """The chat is named after one of them; the other is known by their messages. Both sides give the same key."""
    said = [telegram_message(7, "hi", 2), telegram_message(8, "hello", 1)]
    mine, _ = reads(write_json(tmp_path / "mine.json", telegram_chat("personal_chat", 2, "Бен", *said)))
    theirs, _ = reads(write_json(tmp_path / "theirs.json", telegram_chat("personal_chat", 1, "Ana Duarte", *said)))
    (ours,) = [one for one in mine if isinstance(one, ConversationRecord)]
    (same,) = [one for one in theirs if isinstance(one, ConversationRecord)]
    assert (ours.kind, ours.id, len(ours.people)) == ("direct", same.id, 2)
    assert messages_in(mine)[0].client_id != messages_in(theirs)[0].client_id  # each account has ids of its own
    alone, _ = reads(write_json(tmp_path / "alone.json", telegram_chat("personal_chat", 2, "Бен", said[0])))
    (place,) = [one for one in alone if isinstance(one, ConversationRecord)]
    assert (place.kind, place.name, place.private) == ("channel", "Бен", True)


@pytest.mark.parametrize(
    ("entities", "ours"),
    [
        ([{"type": "bold", "text": "a\nb "}, "c"], "**a**\n**b** c"),
        ([{"type": "italic", "text": "it"}, {"type": "strikethrough", "text": "no"}], "_it_~~no~~"),
        ([{"type": "code", "text": "x = 1"}, " and ", {"type": "pre", "text": "y\nz", "language": "python"}],
         "`x = 1` and \n```python\ny\nz\n```"),
        ([{"type": "blockquote", "text": "said\nso"}, "answer"], "> said\n> so\n\nanswer"),
        ([{"type": "mention_name", "text": "Ana Duarte", "user_id": 1}, " ", {"type": "mention", "text": "@bot"}],
         f"@{account_name('Ana Duarte')} (Ana Duarte) @bot"),
        ([{"type": "text_link", "text": "bad", "href": "javascript:alert(1)"}], "bad (javascript:alert(1))"),
        ([{"type": "custom_emoji", "text": "🎉", "document_id": "x.webp"}, {"type": "spoiler", "text": "s"}], "🎉s"),
        (["# no heading\n#hashtag"], "\\# no heading\n#hashtag"),
    ],
)  # fmt: skip
def test_styles_become_markdown(tmp_path: Path, entities: list[Any], ours: str) -> None:
    """Entities become Markdown."""
    (body,) = shown(tmp_path / "result.json", telegram_message(1, entities))
    assert body.strip() == ours or ("(Ana Duarte)" in ours and "(Ana Duarte) @bot" in body)


def test_everything_beside_the_text_is_kept(tmp_path: Path) -> None:
    """Forwards, polls, places, contacts, stickers and signatures are text; nothing is counted as left out."""
    poll = {"question": "Which day?", "closed": False, "total_voters": 3, "answers": [{"text": "Monday", "voters": 3}]}
    buttons = [[{"type": "url", "text": "Open", "data": "https://e.example/open"}]]
    said = [
        telegram_message(1, "look", forwarded_from="News & more"),
        telegram_message(2, "", poll=poll),
        telegram_message(3, place_name="Kew Gardens", address="Richmond", location_information={"latitude": 51.5}),
        telegram_message(4, contact_information={"first_name": "Duo", "last_name": "Lin", "phone_number": "+44 1"}),
        telegram_message(5, file=LEFT_OUT, media_type="sticker", sticker_emoji="🌱", width=512),
        telegram_message(6, "news", author="The editor", inline_bot_buttons=buttons, via_bot="@gif"),
        telegram_event(7, "invite_members", members=["Chloe", None, "Бен"]),
        telegram_event(8, "something_new", information="for later"),
        telegram_message(9, "song", file=LEFT_OUT, performer="Nina", title="Sea", file_name="sea.mp3"),
    ]
    chat = telegram_chat("public_channel", 9, "Garden", *said)
    items, counts = reads(write_json(tmp_path / "result.json", chat))
    assert bodies_in(items) == [
        "_Forwarded from News & more:_\n> look",
        "question: Which day?, total voters: 3, Monday, voters: 3",
        "place name: Kew Gardens\naddress: Richmond\nlatitude: 51.5",
        "first name: Duo, last name: Lin, phone number: +44 1",
        "🌱",
        "news\nauthor: The editor\nOpen, data: https://e.example/open\nvia bot: @gif",
        "_Ana Duarte invited_ Chloe, Бен",
        "_Ana Duarte something new_ for later",
        "song\nperformer: Nina\ntitle: Sea",
    ]
    assert dict(counts.skipped) == {"files that the export leaves out": 2}
    assert [one.name for one in messages_in(items)[-1].files] == ["sea.mp3"]


def test_replies_topics_pins_and_reactions(tmp_path: Path) -> None:
    """A topic of a forum is a thread. A reply within it answers its message, a pin is the pinner's."""
    liked = {"type": "emoji", "count": 2, "emoji": "👍", "recent": [{"from": "Бен", "from_id": "user2", "date": "x"}]}
    said = [
        telegram_event(1, "topic_created", title="Roses"),
        telegram_message(
            2, "about roses", reply_to_message_id=1, reactions=[liked, {"type": "custom_emoji", "count": 1}]
        ),
        telegram_message(3, "yes", 2, reply_to_message_id=2),
        telegram_message(4, "elsewhere", reply_to_message_id=2, reply_to_peer_id="channel77"),
        telegram_event(5, "pin_message", 2, message_id=2),
    ]
    path = write_json(tmp_path / "result.json", telegram_chat("private_supergroup", 9, "Forum", *said))
    items, counts = reads(path)
    topic, roses, answer, elsewhere, _ = messages_in(items)
    assert topic.body == "_Ana Duarte created the topic_ Roses"
    assert roses.thread is not None
    assert (roses.thread.client_id, roses.reply_to) == (topic.client_id, None)
    assert answer.thread == roses.thread
    assert answer.reply_to is not None
    assert answer.reply_to.client_id == roses.client_id
    assert (elsewhere.thread, elsewhere.reply_to) == (None, None)
    assert [(one.emoji, one.users) for one in roses.reactions] == [("👍", [answer.author])]
    (pin,) = [one for one in items if isinstance(one, PinRecord)]
    assert (pin.user, pin.message.client_id) == (answer.author, roses.client_id)
    assert counts.skipped["reactions whose users the export does not name"] == 1


def test_files_of_a_zip_are_its_members(tmp_path: Path) -> None:
    """A path of the export leads to the member of the archive; one that is missing is counted."""
    said = [telegram_message(1, "plan", file="files/plan.pdf", file_name="plan.pdf", file_size=4, mime_type="a/pdf")]
    said += [telegram_message(2, photo="photos/gone.jpg"), telegram_message(3, photo="../../etc/passwd")]
    chat = orjson.dumps(telegram_chat("private_group", 9, "Garden", *said))
    path = write_zip(tmp_path / "t.zip", {"chat/result.json": chat, "chat/files/plan.pdf": b"%PDF", "other.txt": "x"})
    items, counts = reads(path)
    assert [(one.files[0].name, one.files[0].path) for one in messages_in(items)] == [
        ("plan.pdf", "chat/files/plan.pdf"),
        ("gone.jpg", None),
        ("passwd", None),
    ]
    assert counts.skipped["files that the export leaves out"] == 2


def test_a_bad_message_costs_nothing_but_itself(tmp_path: Path) -> None:
    """Telegram's own broken escapes are read; other broken messages are named by their lines."""
    good = orjson.dumps(telegram_message(1, "fine")).decode()
    bad = [r'{"id": 2, "type": "message", "text": "half" 5}', r'{"id": 3, "type": "message"}', "7"]
    escaped = good.replace("fine", r"bell \x07 and \ud83d half").replace('"id":1', '"id":5')
    lines = ",\n".join([good, *bad, escaped, '{"id": 6, "type": "unsupported"}'])
    path = tmp_path / "result.json"
    path.write_text(f'{{"name": "Garden", "type": "private_group", "id": 9, "messages": [\n{lines}\n]}}')
    items, counts = reads(path)
    assert bodies_in(items) == ["fine", "bell \x07 and \ufffd half"]
    assert [error.place for error in counts.errors] == ["result.json:3", "result.json:4", "result.json:5"]
    assert counts.skipped["messages of the type unsupported"] == 1
    path.write_text(path.read_text()[:-60])
    items, counts = reads(path)
    assert bodies_in(items)[0] == "fine"
    assert counts.errors[-1].reason == "The file ends too early"


def test_old_exports_have_numbers_and_local_times(tmp_path: Path) -> None:
    """Before 2021 ids were numbers, and times had no zone: that of the option holds."""
    said = {"from": "Ana", "from_id": 4411, "text": ["hi ", {"type": "bold", "text": "you"}]}
    old = {"id": 1, "type": "message", "date": "2020-07-01T12:00:00"} | said
    path = write_json(tmp_path / "old.json", telegram_chat("private_group", 9, "Garden", old))
    items, _ = reads(path, "Europe/Lisbon")
    (message,) = messages_in(items)
    assert (message.body, message.created_at.isoformat()) == ("hi **you**", "2020-07-01T12:00:00+01:00")
    assert [one.user for one in items if isinstance(one, MemberRecord)] == [message.author]


def test_plain_text_stays_plain(tmp_path: Path) -> None:
    """Telegram tells what is bold. Signs that Markdown would read are only signs."""
    said = shown(tmp_path / "result.json", telegram_message(3, "*not* bold, _not_ italic, `not` code, snake_case"))
    assert said == ["\\*not\\* bold, \\_not\\_ italic, \\`not\\` code, snake_case"]


def test_old_exports_give_messages_that_were_not_edited_the_year_1970(tmp_path: Path) -> None:
    """It means never. A reply to what the export does not have is counted."""
    old = telegram_message(3, "hi", edited="1970-01-01T01:00:00", reply_to_message_id=1)
    path = write_json(tmp_path / "result.json", telegram_chat("private_supergroup", 9, "x", old))
    items, counts = reads(path)
    assert [one.edited_at for one in messages_in(items)] == [None]
    assert dict(counts.skipped) == {"replies to messages outside of the export, imported as messages": 1}
