"""Readers of foreign files with a hostile text in each place, for the table of growth."""

from datetime import UTC
from io import BytesIO

from chat.transfer.chat_logs import WhatsAppChat, chat_title
from chat.transfer.csv_table import ColumnMapping, CsvTable, find_encoding
from chat.transfer.foreign import ForeignUsers, JsonReader, parse_value
from chat.transfer.irc_logs import IrcLogs, channel_of
from chat.transfer.rocketchat import RocketChatRoom, indented
from chat.transfer.slack import text_of
from chat.transfer.sources import parse_record
from chat.transfer.telegram import TelegramText
from chat.transfer.zulip import ZulipText
from tests.promises.growth import Subject

FILE = 32_000  # characters
BODY = 8_000  # of a message that stays whole: longer ones take another way


def read_json(data: bytes) -> object:
    """Read what may be JSON, a value at a time."""
    return JsonReader(BytesIO(b'{"a": [' + data), int).values({(), ("a",), ("a", "*")})


def read_whatsapp(text: str) -> object:
    """Read a chat whose first line is long, and whose other lines continue it."""
    data = f"1/2/24, 10:00 - {text}: {text}\n{text}".encode("utf-8", "replace")
    return WhatsAppChat(lambda: BytesIO(data), "x.txt", "x.txt", (), UTC).read(lambda _: None)


def read_irc(text: str) -> object:
    """Read a log with one long line of each kind."""
    lines = (f"10:00 <{text}> {text}", f"10:00 * {text}", f"10:00:00\t{text}\t{text}", f"--- Day changed {text}", text)
    data = "\n".join(line.replace("\n", " ") for line in lines).encode("utf-8", "replace")
    return IrcLogs({"#x_20240501.log": lambda: BytesIO(data)}, UTC, False).read(lambda _: None)


def read_csv(text: str) -> object:
    """Read a table with the text in a row, and between quotation marks."""
    data = f'a,b,c\n{text},{text},1714557600\n"{text}","{text}",1714557600\n'.encode("utf-8", "replace")
    mapping = ColumnMapping(author="a", body="b", at="c")
    return CsvTable(lambda: BytesIO(data), "x.csv", mapping, UTC, False).read(lambda _: None)


def write_telegram(text: str) -> object:
    """Convert a message with the text in every style."""
    kinds = ("plain", "bold", "code", "pre", "blockquote", "text_link", "mention_name")
    message = {"text_entities": [{"type": kind, "text": text, "href": text} for kind in kinds], "poll": {text: text}}
    return TelegramText(ForeignUsers(), "").write(message)


def read_rocketchat(text: str) -> object:
    """Convert a message with the text in each place."""
    called = [{"_id": "a", "username": text[:64] or "a"}]
    message = {"_id": "m", "ts": 0, "u": called[0], "msg": text, "mentions": called, "attachments": [{"text": text}]}
    return RocketChatRoom("r", [], ForeignUsers(), {}, {}).read(message, "a:1")


FOREIGN = {
    "chat.transfer.irc_logs:IrcLogs.read": Subject(read_irc, BODY),
    "chat.transfer.chat_logs:WhatsAppChat.read": Subject(read_whatsapp, BODY),
    "chat.transfer.chat_logs:chat_title": Subject(chat_title, 1_000),
    "chat.transfer.irc_logs:channel_of": Subject(channel_of, 1_000),
    "chat.transfer.csv_table:CsvTable.read": Subject(read_csv, BODY),
    "chat.transfer.csv_table:find_encoding": Subject(find_encoding, FILE, encoded=True),
    "chat.transfer.foreign:JsonReader.values": Subject(read_json, FILE, encoded=True),
    "chat.transfer.foreign:parse_value": Subject(parse_value, FILE, encoded=True),
    "chat.transfer.rocketchat:RocketChatRoom.read": Subject(read_rocketchat, BODY),
    "chat.transfer.rocketchat:indented": Subject(
        lambda data: [*indented(enumerate(data.split(b" ")))], FILE, encoded=True
    ),
    "chat.transfer.slack:text_of": Subject(lambda text: text_of({"topic": {"value": text}}, "topic"), FILE // 4),
    "chat.transfer.sources:parse_record": Subject(lambda data: parse_record(data, "a:1"), FILE, encoded=True),
    "chat.transfer.telegram:TelegramText.write": Subject(write_telegram, BODY),
    "chat.transfer.zulip:ZulipText.write": Subject(lambda text: ZulipText("", frozenset()).write(text), FILE),
}
