"""Chats as text: WhatsApp's `_chat.txt` of many phones, and the logs of IRC clients."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.transfer.chat_logs import WhatsAppChat, chat_title
from chat.transfer.records import ConversationRecord, MemberRecord, UserRecord
from tests.transfer.files import bodies_in, exports, imports, messages_in, reads
from tests.transfer.foreign_exports import write_zip

IOS = """\
[2024-05-01, 09:05:01] Garden: \u200eMessages and calls are end-to-end encrypted.
[2024-05-01, 09:05:02] Ana Duarte: *hi* @\u2068~ Бен\u2069
second line

# no heading
[2024-05-01, 09:05:03] ~\u202fБен: \u200e<attached: 00000003-PHOTO.jpg>
\u200e[2024-05-01, 09:05:04] Ana Duarte: \u200eimage omitted
[2024-05-01, 09:05:05] Chloe: the caption
[2024-05-01, 09:05:06] Ana Duarte changed the subject to "A: B"
"""


def write_log(path: Path, text: str) -> Path:
    """Write a text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


async def test_a_chat_with_its_media_is_imported_and_a_longer_one_adds_the_rest(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ZIP of an iPhone. A later export of the same chat brings only what is new, also of equal messages."""
    path = tmp_path / "WhatsApp Chat - Garden.zip"
    write_zip(path, {"_chat.txt": IOS, "00000003-PHOTO.jpg": b"\xff\xd8"})
    assert await imports(database_url, path) == 0
    write_zip(path, {"_chat.txt": IOS + "[2024-05-01, 10:00:00] Chloe: ok\n" * 2, "00000003-PHOTO.jpg": b"\xff\xd8"})
    assert await imports(database_url, path) == 0
    told = capsys.readouterr()
    assert told.out == "6 new, 0 known, 0 invalid\n2 new, 6 known, 0 invalid\n"
    assert "1 files that the export leaves out" in told.err
    lines = await exports(database_url, tmp_path / "out.jsonl")
    (place,) = [line for line in lines if line["type"] == "conversation"]
    assert (place["name"], place["private"]) == ("Garden", True)
    assert sum(line["type"] == "message" for line in lines) == 8


def test_lines_of_an_iphone(tmp_path: Path) -> None:
    """Lines without a head continue a message; events are written by WhatsApp; marks of direction go."""
    path = write_zip(tmp_path / "WhatsApp Chat - Garden.zip", {"_chat.txt": IOS, "00000003-PHOTO.jpg": b"x"})
    items, counts = reads(path, "Europe/Lisbon")
    event, first, photo, omitted, caption, subject = messages_in(items)
    ben = photo.author
    assert event.body == "_Messages and calls are end-to-end encrypted._"
    assert first.body == f"**hi** @{ben}\nsecond line\n\n\\# no heading"
    assert (first.mentions, first.created_at.isoformat()) == ([ben], "2024-05-01T09:05:02+01:00")
    assert [(one.name, one.path) for one in photo.files] == [("00000003-PHOTO.jpg", "00000003-PHOTO.jpg")]
    assert (omitted.body, caption.body) == ("image omitted", "the caption")
    assert (subject.author, subject.body) == ("whatsapp", '_Ana Duarte changed the subject to "A: B"_')
    users = {one.name: one.display_name for one in items if isinstance(one, UserRecord)}
    assert users[ben] == "Бен"
    assert {one.user for one in items if isinstance(one, MemberRecord)} == set(users) - {"whatsapp"}
    assert dict(counts.skipped) == {"files that the export leaves out": 1}


def test_two_people_are_a_direct_message(tmp_path: Path) -> None:
    """The file is named after one of two authors."""
    text = (
        "5/1/24, 9:05 AM - Ana: hi\n5/1/24, 9:06 AM - Ben: IMG-1.jpg (file attached)\nlook\n5/13/24, 9:07 PM - Ana: x\n"
    )
    items, _ = reads(write_log(tmp_path / "WhatsApp Chat with Ben.txt", text))
    (place,) = [one for one in items if isinstance(one, ConversationRecord)]
    assert (place.kind, place.people) == ("direct", ["ana", "ben"])
    assert bodies_in(items) == ["hi", "look", "x"]
    assert [one.files[0].name for one in messages_in(items) if one.files] == ["IMG-1.jpg"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("13/06/2018, 21:25 - ", "14/06/2018, 1:55 - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("6/13/18, 9:25 PM - ", "6/14/18, 12:05 AM - ", "2018-06-13T21:25 2018-06-14T00:05"),
        ("[13.06.18, 21:25:00] ", "[14.06.18, 01:55:00] ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("13.6.2018 klo 21.25 - ", "14.6.2018 klo 1.55 - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("2018-06-13 9:25 p. m. - ", "2018-06-14 1:55 a. m. - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("2018/6/13 下午9:25 - ", "2018/6/14 上午1:55 - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("2018. 6. 13. 오후 9:25, ", "2018. 6. 14. 오전 1:55, ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("[13/06/2561 21:25:00] ", "[14/06/2561 01:55:00] ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("١٣/٦/٢٠١٨، ٩:٢٥ م - ", "١٤/٦/٢٠١٨، ١:٥٥ ص - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("13-06-18 21:25 - ", "14-06-18 1:55 - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("13.06.18 21.25.00: ", "14.06.18 01.55.00: ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("10.12.2024, 21:25 - ", "11.12.2024, 1:55 - ", "2024-12-10T21:25 2024-12-11T01:55"),
        ("1/2/21, 21:25 - ", "1/2/21, 23:55 - ", "2021-01-02T21:25 2021-01-02T23:55"),
        ("01/02/2021, 21:25 - ", "01/02/2021, 23:55 - ", "2021-02-01T21:25 2021-02-01T23:55"),
    ],
)
def test_dates_of_many_phones(tmp_path: Path, first: str, second: str, expected: str) -> None:
    """The order of day, month and year is found from all lines; if two fit, from how it is written."""
    items, counts = reads(write_log(tmp_path / "WhatsApp Chat with x.txt", f"{first}Ana: a\n{second}Ben: b\n"))
    assert [one.created_at.strftime("%Y-%m-%dT%H:%M") for one in messages_in(items)] == expected.split()
    assert counts.bad == 0


@given(
    days=st.lists(st.integers(0, 400), min_size=3, max_size=30).map(sorted),
    order=st.sampled_from(["%d/%m/%Y", "%m/%d/%y", "%Y-%m-%d", "%d.%m.%y"]),
)
def test_days_in_order_are_read_as_written(days: list[int], order: str) -> None:
    """If one day is above the twelfth, or the other order would run backwards, the days are those that were written."""
    at = [datetime(2022, 3, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in days]
    text = "".join(f"{one.strftime(order)}, 12:00 - Ana: hello\n" for one in at).encode()
    items = list(read_bytes(text))
    read = [one.created_at for one in messages_in(items)]
    other = any("can be read in two ways" in getattr(one, "what", "") for one in items)
    assert read == at or other or len({day.strftime("%d%m") for day in at if day.day > 12}) == 0


def read_bytes(text: bytes) -> list[object]:
    """Return the items of a text."""
    from io import BytesIO

    return list(WhatsAppChat(lambda: BytesIO(text), "x.txt", "x.txt", (), UTC).read(lambda _: None))


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("WhatsApp Chat with Ana.txt", "Ana"),
        ("WhatsApp Chat - Garden - South.zip", "Garden - South"),
        ("WhatsApp-Chat mit Бен.txt", "Бен"),
        ("Conversa do WhatsApp com Ana.txt", "Ana"),
        ("_chat.txt", ""),
        ("garden.txt", "garden"),
    ],
)
def test_the_chat_is_named_after_its_file(name: str, title: str) -> None:
    """Phones name the file in their language."""
    assert chat_title(name) == title


# IRC.

IRSSI = """\
--- Log opened Wed May 01 10:00:00 2024
10:00 -!- ana [~a@host] has joined #garden
10:01 <@ana> hi \x0304red\x03 all
10:02  * ben waves
10:03 < ben> # no heading
--- Day changed Thu May 02 2024
00:01 <+chloe> late
"""
WEECHAT = """\
2024-05-01 10:00:00\t-->\tana (~a@host) has joined #garden
2024-05-01 10:00:01\t@ana\thi all
2024-05-01 10:00:02\t *\tben waves
"""
ZNC = "[10:00:00] *** Joins: ben (~b@host)\n[10:00:01] <ben> hi all\n[10:00:02] * ben waves\n"
HEXCHAT = """\
**** BEGIN LOGGING AT Tue Dec 31 23:59:00 2024

Dec 31 23:59:05 *\tNow talking on #garden
Dec 31 23:59:06 <ana>\thi all
Dec 31 23:59:07 *\tben waves
Jan 01 00:00:01 *\tben (~b@host) has joined
Jan 01 00:00:02 <ana>\thappy new year
**** ENDING LOGGING AT Wed Jan  1 00:01:00 2025
"""
MECH = "[23:59] <ana> hi all\n[23:59] *** ben (b@host) has joined #garden\n[00:01] <ben> after midnight\n"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "#garden.log",
            IRSSI,
            ["05-01 10:01 hi red all", "05-01 10:02 _waves_", "05-01 10:03 \\# no heading", "05-02 00:01 late"],
        ),
        ("irc.libera.#garden.weechatlog", WEECHAT, ["05-01 10:00 hi all", "05-01 10:00 _waves_"]),
        ("#garden_20240501.log", ZNC, ["05-01 10:00 hi all", "05-01 10:00 _waves_"]),
        ("#garden.txt", HEXCHAT, ["12-31 23:59 hi all", "12-31 23:59 _waves_", "01-01 00:00 happy new year"]),
        ("#garden.2024-05-01.log", MECH, ["05-01 23:59 hi all", "05-02 00:01 after midnight"]),
        ("#garden.log", "2024-05-01T10:00:00+0200 <ana> hi\n", ["05-01 10:00 hi"]),
    ],
)
def test_logs_of_irc(tmp_path: Path, path: str, text: str, said: list[str]) -> None:
    """Each client's lines are read; the day comes from a line, the file's name, or the midnight between two lines."""
    items, counts = reads(write_log(tmp_path / path, text))
    (place,) = [one for one in items if isinstance(one, ConversationRecord)]
    assert place.name == "garden"
    assert [f"{one.created_at:%m-%d %H:%M} {one.body}" for one in messages_in(items)] == said
    assert set(counts.skipped) <= {"joins, quits and other events of IRC"}
    assert counts.bad == 0


async def test_a_bouncers_folder_of_days_is_one_channel(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ZNC writes a file a day in the channel's folder; a nick is one user in all of them."""
    files: dict[str, bytes | str] = {f"libera/#garden/2024-05-0{day}.log": ZNC for day in (1, 2)}
    files["libera/#kitchen/2024-05-01.log"] = ZNC + "broken line\n[10:00:03] <Ben> dinner\n"
    assert await imports(database_url, write_zip(tmp_path / "libera.zip", files)) == 0
    told = capsys.readouterr()
    assert told.out == "7 new, 0 known, 0 invalid\n"
    assert "1 lines that are no messages of IRC" in told.err
    lines = await exports(database_url, tmp_path / "out.jsonl")
    assert sorted(line["name"] for line in lines if line["type"] == "conversation") == ["garden", "kitchen"]
    assert {line["author"] for line in lines if line["type"] == "message"} == {"ben"}


def test_a_log_without_a_day_is_an_error(tmp_path: Path) -> None:
    """Lines whose day nothing tells are named."""
    items, counts = reads(write_log(tmp_path / "#garden.log", "10:00 <ana> hi\n"))
    assert bodies_in(items) == []
    assert [error.place for error in counts.errors] == ["#garden.log:1"]
    assert "tells its day" in counts.errors[0].reason
