"""Tables of any program: a mapping names the columns, and every row is a message."""

from datetime import UTC
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.transfer.csv_table import find_encoding
from chat.transfer.errors import BadMapping
from chat.transfer.records import ConversationRecord
from tests.transfer.files import Json, bodies_in, exports, imports, messages_in, reads

MAP: Json = {
    "author": "From",
    "body": "Text",
    "at": {"column": "Date", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"},
    "conversation": "Room",
    "id": "No",
    "reply_to": "Answers",
    "files": "Files",
    "email": "Mail",
}
TABLE = """\
No;From;Mail;Date;Room;Answers;Text;Files;Mood
1;Ana;ana@farm.example;01.05.2024 10:00;küche;;"hello; all
""of"" you";https://e.example/a/plan.pdf?x=1;happy
2;Бен;;01.05.2024 10:01;küche;1;hi;;
3;Ana;;today;küche;;when?;;
4;;;01.05.2024 10:03;küche;;nobody;;
5;Ana;;01.05.2024 10:04;garten;;out here;;
"""


def write_table(folder: Path, text: str | bytes, mapping: Json | None = None) -> tuple[Path, Path]:
    """Write a table and its mapping."""
    table, columns = folder / "old chat.csv", folder / "map.json"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    columns.write_bytes(orjson.dumps(mapping or MAP))
    return table, columns


async def test_a_table_is_imported_and_a_second_time_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong rows are named by their lines, and columns that nothing reads are counted."""
    table, columns = write_table(tmp_path, TABLE)
    assert await imports(database_url, table, mapping=columns) == 1
    assert await imports(database_url, table, mapping=columns) == 1
    told = capsys.readouterr()
    assert told.out == "3 new, 0 known, 2 invalid\n0 new, 3 known, 2 invalid\n"
    assert "1 text in Mood" in told.err
    assert "old chat.csv:5: is not a message" in told.err
    lines = await exports(database_url, tmp_path / "out.jsonl")
    assert sorted(line["name"] for line in lines if line["type"] == "conversation") == ["garten", "küche"]
    said = {line["client_id"]: line for line in lines if line["type"] == "message"}
    assert said["1"]["body"].startswith('hello; all\n"of" you')
    assert said["1"]["created_at"] == "2024-05-01T08:00:00.000Z"
    assert said["2"]["reply_to"]["client_id"] == "1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_recognized(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """Office programs write all of them."""
    text = (
        delimiter.join(["name", "text", "when"]) + "\r\n" + delimiter.join(["Zoë", "«déjà vu»", "1714557600"]) + "\r\n"
    )
    mapping = {"author": "Name", "body": "text", "at": "when", "channel": "old"}
    table, columns = write_table(tmp_path, text.encode(encoding), mapping)
    items, counts = reads(table, mapping=columns)
    (message,) = messages_in(items)
    assert (message.body, message.created_at.isoformat()) == ("«déjà vu»", "2024-05-01T10:00:00+00:00")
    assert [one.name for one in items if isinstance(one, ConversationRecord)] == ["old"]
    assert counts.bad == 0


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2024-05-01 12:00", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00+02:00"),
        ("1714557600000", "2024-05-01T10:00:00+00:00"),
        ("1714557600.5", "2024-05-01T10:00:00.500000+00:00"),
    ],
)
def test_times_without_a_format(tmp_path: Path, value: str, iso: str) -> None:
    """ISO 8601, with or without a zone, and numbers since 1970."""
    mapping = {"author": 1, "body": 2, "at": 3, "header": False}
    table, columns = write_table(tmp_path, f"Ana,hi,{value}\n", mapping)
    items, _ = reads(table, "Europe/Berlin", mapping=columns)
    assert [one.created_at.isoformat() for one in messages_in(items)] == [iso]


def test_the_tables_of_discord_need_no_mapping(tmp_path: Path) -> None:
    """DiscordChatExporter's CSV is known by its first row."""
    text = (
        "AuthorID,Author,Date,Content,Attachments,Reactions\n"
        + '"1","ana","2024-05-01T12:00:00.0000000+02:00","hi","",""\n'
    )
    table, _ = write_table(tmp_path, text)
    items, _ = reads(table)
    assert bodies_in(items) == ["hi"]


def test_wrong_mappings_are_refused(tmp_path: Path) -> None:
    """A mapping that names no columns, or unknown ones, says what is wrong."""
    for mapping in ({"author": "From"}, MAP | {"colour": "red"}, MAP | {"at": {"column": "Date", "zone": "Berlin"}}):
        table, columns = write_table(tmp_path, TABLE, mapping)
        with pytest.raises(BadMapping):
            reads(table, mapping=columns)
    for mapping, reason in ((MAP | {"body": "Words"}, "no column Words"), (MAP | {"encoding": "x-mars"}, "x-mars")):
        table, columns = write_table(tmp_path, TABLE, mapping)
        _, counts = reads(table, mapping=columns)
        assert [reason in error.reason for error in counts.errors] == [True]


@given(st.binary(max_size=300))
def test_any_bytes_have_an_encoding(data: bytes) -> None:
    """No input is an error, and the encoding that is found can be used."""
    assert isinstance(data.decode(find_encoding(data), "replace"), str)


@given(rows=st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=8))
def test_no_row_costs_another(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    """Whatever stands between them, two good rows come in, unless a quotation mark joins them."""
    lines = [",".join(one.replace('"', "'").replace("\n", " ").replace("\r", " ") for one in row) for row in rows]
    text = "\n".join(["a,b,c", "Ana,first,1714557600", *lines, "Ana,last,1714557601"]) + "\n"
    table, columns = write_table(tmp_path_factory.mktemp("rows"), text, {"author": "a", "body": "b", "at": "c"})
    items, _ = reads(table, mapping=columns)
    assert {"first", "last"} <= set(bodies_in(items))


def test_replies_that_come_before_what_they_answer_keep_it(tmp_path: Path) -> None:
    """A table may begin with its newest row. What is not in the table is counted."""
    text = (
        "No,From,Text,At,Root,Answers\n3,Ben,lost,1704103400,,9\n2,Ben,reply,1704103260,1,1\n1,Ana,root,1704103200,,\n"
    )
    mapping = {"author": "From", "body": "Text", "at": "At", "id": "No", "thread": "Root", "reply_to": "Answers"}
    path, columns = write_table(tmp_path, text, mapping)
    items, counts = reads(path, mapping=columns)
    said = {one.body: one for one in messages_in(items)}
    reply, root = said["reply"], said["root"]
    assert [one and one.client_id for one in (reply.thread, reply.reply_to)] == [root.client_id] * 2
    assert dict(counts.skipped) == {"replies to messages outside of the export, imported as messages": 1}


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-31T14:05:00Z",
        "2024-01-31 14:05:00 UTC",
        "2024-01-31 15:05:00.123+01",
        "Wed, 31 Jan 2024 15:05:00 +0100",
        "1706709900",
        "1706709900000",
        "1706709900123456",
        "1706709900123456789",
    ],
)
def test_times_as_programs_write_them(tmp_path: Path, written: str) -> None:
    """They need no format."""
    path, columns = write_table(tmp_path, f'a,b,c\nAna,"hi","{written}"\n', {"author": "a", "body": "b", "at": "c"})
    (message,) = messages_in(reads(path, mapping=columns)[0])
    assert f"{message.created_at.astimezone(UTC):%Y-%m-%dT%H:%M}" == "2024-01-31T14:05"


def test_a_time_of_another_form_says_what_to_do(tmp_path: Path) -> None:
    """The mapping can name its format."""
    path, columns = write_table(tmp_path, "a,b,c\nAna,hi,1/31/2024 3:05 PM\n", {"author": "a", "body": "b", "at": "c"})
    _, counts = reads(path, mapping=columns)
    assert 'name the "format" of the column' in counts.errors[0].reason


def test_a_line_for_excel_is_no_header(tmp_path: Path) -> None:
    """It names the delimiter."""
    path, columns = write_table(
        tmp_path, "sep=;\r\na;b;c\r\nAna;hi;1704103200\r\n", {"author": "a", "body": "b", "at": "c"}
    )
    assert bodies_in(reads(path, mapping=columns)[0]) == ["hi"]
