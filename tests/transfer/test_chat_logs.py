"""Chats as text: WhatsApp's `_chat.txt` of many phones."""

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
        (
            "\u200f13\u200f/6\u200f/2018، 9:25 م - ",
            "\u200f14\u200f/6\u200f/2018، 1:55 ص - ",
            "2018-06-13T21:25 2018-06-14T01:55",
        ),
        (
            "[\u200f١٣\u200f/٦\u200f/٢٠١٨، ٩:٢٥:٠٠ م] ",
            "[\u200f١٤\u200f/٦\u200f/٢٠١٨، ١:٥٥:٠٠ ص] ",
            "2018-06-13T21:25 2018-06-14T01:55",
        ),
        ("13.06.18 г., 21:25 ч. - ", "14.06.18 г., 1:55 ч. - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("21:25, 13/06/2018 - ", "1:55, 14/06/2018 - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("[9:25 PM, 6/13/2018] ", "[1:55 AM, 6/14/2018] ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("2018/6/13, 9:25 ب.ظ. - ", "2018/6/14, 1:55 ق.ظ. - ", "2018-06-13T21:25 2018-06-14T01:55"),
        ("2018-06-13 9:25 em - ", "2018-06-14 1:55 fm - ", "2018-06-13T21:25 2018-06-14T01:55"),
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
        ("WhatsApp Chat with Ana (1).txt", "Ana"),
        ("_chat.txt", ""),
        ("garden.txt", "garden"),
    ],
)
def test_the_chat_is_named_after_its_file(name: str, title: str) -> None:
    """Phones name the file in their language."""
    assert chat_title(name) == title


def test_dates_between_dots_never_have_the_month_first(tmp_path: Path) -> None:
    """One message a month: read with the month first, they would all be of two weeks."""
    text = "".join(f"01.{month:02}.24, 12:00 - Ana: hello\n" for month in range(1, 13))
    items, counts = reads(write_log(tmp_path / "WhatsApp Chat mit x.txt", text))
    assert [one.created_at.month for one in messages_in(items)] == list(range(1, 13))
    assert not counts.skipped


def test_a_file_named_in_any_language_tells_a_direct_message(tmp_path: Path) -> None:
    """The name of one of two authors is in it."""
    text = "31.12.2023 23:59 - Ayşe: merhaba\n1.01.2024 00:00 - Ben: selam\n"
    items, _ = reads(write_log(tmp_path / "Ayşe ile WhatsApp Sohbeti.txt", text))
    (place,) = [one for one in items if isinstance(one, ConversationRecord)]
    assert (place.kind, len(place.people)) == ("direct", 2)


GERMAN = """\
[31.12.23, 23:58:01] Ana: \u200eNachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.
[31.12.23, 23:59:12] Ben: \u200eBild weggelassen
[31.12.23, 23:59:13] Ana: \u200eDiese Nachricht wurde gelöscht.
[31.12.23, 23:59:14] Ana: erste Zeile
zweite Zeile \u200e<Diese Nachricht wurde bearbeitet.>
[31.12.23, 23:59:15] Ben: \u200eVerpasster Sprachanruf, \u200eZum Zurückrufen tippen
[31.12.23, 23:59:16] Ben: \u200e<Anhang: 00000012-PHOTO.jpg>
"""


def test_deleted_and_edited_messages_are_told_from_files(tmp_path: Path) -> None:
    """An iPhone marks all that it writes itself in one way. The first such line is nobody's message."""
    items, counts = reads(write_log(tmp_path / "WhatsApp Chat - Ana.txt", GERMAN))
    notice, picture, deleted, edited, call, photo = messages_in(items)
    assert (notice.author, picture.body) == ("whatsapp", "Bild weggelassen")
    assert (deleted.author, deleted.body, bool(deleted.deleted_at)) == ("ana", "", True)
    assert (edited.body, bool(edited.edited_at)) == ("erste Zeile\nzweite Zeile", True)
    assert call.body == "Verpasster Sprachanruf, Zum Zurückrufen tippen"
    assert [one.name for one in photo.files] == ["00000012-PHOTO.jpg"]
    assert dict(counts.skipped) == {"files that the export leaves out": 2}


def test_files_left_out_are_counted_with_their_caption(tmp_path: Path) -> None:
    """Android writes the caption below."""
    text = "13/06/2018, 21:25 - Ana: <Media omitted>\nthe caption\n13/06/2018, 21:26 - Ben: Mensagem apagada\n"
    items, counts = reads(write_log(tmp_path / "WhatsApp Chat with x.txt", text))
    assert [bool(one.deleted_at) for one in messages_in(items)] == [False, True]
    assert dict(counts.skipped) == {"files that the export leaves out": 1}


GROUP = """\
[1/2/24, 9:58:01 AM] Team \U0001f680: \u200eMessages and calls are end-to-end encrypted.
[1/2/24, 9:58:01 AM] Ana: \u200eAna created this group
[1/2/24, 9:58:02 AM] Ben: hi
[1/15/24, 9:58:03 PM] Ana: \u200ePOLL:
Lunch?
\u200e[1/15/24, 9:58:04 PM] Ana: report.pdf \u2022 \u200e3 pages \u200edocument omitted
"""


def test_a_group_without_a_name_is_called_as_an_iphone_calls_it(tmp_path: Path) -> None:
    """What it writes in the name of the group, or about an author, is an event. Polls are no files, documents are."""
    items, counts = reads(write_log(tmp_path / "_chat.txt", GROUP))
    (place,) = [one for one in items if isinstance(one, ConversationRecord)]
    assert (place.kind, place.name) == ("channel", "Team \U0001f680")
    assert [(one.author, one.body) for one in messages_in(items)] == [
        ("whatsapp", "_Messages and calls are end-to-end encrypted._"),
        ("whatsapp", "_Ana created this group_"),
        ("ben", "hi"),
        ("ana", "POLL:\nLunch?"),
        ("ana", "report.pdf \u2022 3 pages document omitted"),
    ]
    assert dict(counts.skipped) == {"files that the export leaves out": 1}
