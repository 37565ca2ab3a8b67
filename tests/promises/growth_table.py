"""The functions of the server that read foreign text or bytes, each with the largest input that it can get.

A new function is added to `BY_NAME`, `BYTES_BY_NAME` or `ADAPTED`, or to the exceptions with the reason.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from typing import cast

import orjson
from multidict import CIMultiDict
from pydantic import TypeAdapter

from chat.accounts.models import LogIn, Profile, SignUp
from chat.accounts.sign_on import check_next, read_attempt
from chat.accounts.validation import (
    About,
    DisplayName,
    candidate_names,
    check_password,
    end_of_run,
    is_common,
    is_repeated,
    is_weak,
    without_runs,
    without_words,
)
from chat.client.sse import EventParser, EventSplitter, ResponseBody
from chat.conversations.drafts import ConversationDraft
from chat.files.image_worker import find_metadata, jpeg_metadata, png_metadata, webp_metadata
from chat.files.models import parse_range
from chat.log.entry import Cursor, encode_frame, encode_notice, event_name, in_epoch
from chat.log.redaction import append_data, erase, without_data, without_name
from chat.messages.drafts import AddressedDraft, Append, Draft, DraftBatch
from chat.messages.mention_parser import closes
from chat.messages.reminders import parse_when
from chat.messages.socket_commands import read_command
from chat.model.conversation import name_keys
from chat.model.types import Name as ConversationName
from chat.model.types import check_exact, check_said, encode_data
from chat.moderation.endpoints import Note
from chat.operations.endpoints import parse_time
from chat.search.highlight import highlight
from chat.search.lexemes import encode_words
from chat.search.query import SearchPiece, SearchTerms, cut, fold_short, parse_day, parse_query, want
from chat.shared.logging import LogThrottle
from chat.shared.multipart import FormParser
from chat.shared.rate_limits import hash_key
from chat.shared.sql import elements, texts
from chat.shared.transport.ws_frames import FrameReader, unmask
from chat.shared.transport.ws_protocol import accept_key
from chat.shared.web import parse_ids, parse_model
from chat.stream.connections import is_ahead
from chat.stream.endpoints import split_frames
from chat.stream.resume import choose_start
from chat.stream.stream import Chunk
from chat.transfer.archive import read_lines, read_list
from chat.transfer.mattermost import MattermostPosts
from chat.transfer.mattermost import MattermostUsers as MattermostPeople
from chat.transfer.slack_blocks import is_preview
from chat.transfer.slack_markup import link_to, marked, stacked
from chat.transfer.text import digest, link, one_line, parse, rename_channels, rename_mentions, toned
from presence.protocol import parse_signal
from tests.promises.growth import Run, Subject
from tests.transfer.hostile_reads import FOREIGN
from tests.transfer.slack_export import blocks_as_markdown, file_as_markdown, shapes_as_markdown, text_as_markdown

MESSAGE = 16_000  # characters of a message
FILE = 32_000  # of an imported file, whose size alone is a limit
HEAD = 8_190  # of a request's line or header
QUERY = 256  # of a search
PASSWORD = 1_024  # before its length is checked
BODY = 64_000  # bytes of JSON
FRAME = 256_000  # bytes fed to a WebSocket at once

# Functions of one argument, with the length of the longest.
BY_NAME = {
    "aiohttp.multipart:parse_content_disposition": HEAD,
    "aiohttp.helpers:parse_mimetype": HEAD,
    "chat.accounts.second_factors:plain_code": BODY,
    "chat.accounts.validation:check_email": BODY,
    "chat.accounts.validation:check_external_id": BODY,
    "chat.accounts.validation:check_https": BODY,
    "chat.accounts.validation:check_keyword": MESSAGE,
    "chat.accounts.validation:check_emoji_name": MESSAGE,
    "chat.accounts.validation:check_group_name": MESSAGE,
    "chat.accounts.validation:check_name": MESSAGE,
    "chat.accounts.validation:check_new_name": MESSAGE,
    "chat.accounts.validation:fit_display_name": HEAD,
    "chat.accounts.validation:fold_name": QUERY,
    "chat.accounts.validation:plain_text": HEAD,
    "chat.accounts.validation:normalize": PASSWORD,
    "chat.accounts.validation:split_words": MESSAGE,
    "chat.integrations.outgoing:parse_place": HEAD,
    "chat.integrations.web_push:check_point": QUERY,
    "chat.integrations.web_push:check_secret": QUERY,
    "chat.integrations.web_push:decode": QUERY,
    "chat.messages.mention_parser:find_links": MESSAGE,
    "chat.messages.mention_parser:parse_mentions": MESSAGE,
    "chat.messages.preview_worker:parse_head": FILE,
    "chat.shared.appearance:clean_line": FILE // 4,
    "chat.transfer.irc_logs:plain": FILE,
    "chat.transfer.text:account_name": 64,
    "chat.transfer.text:find_emoji": FILE,
    "chat.transfer.text:show_emoji": FILE,
    "chat.transfer.slack_blocks:from_points": FILE,
    "chat.transfer.slack_markup:literal": FILE,
    "chat.transfer.slack_markup:fenced": FILE,
    "chat.transfer.slack_markup:kind_of": FILE,
    "chat.transfer.slack_markup:quote": FILE,
    "chat.transfer.slack_markup:separated": FILE,
    "chat.transfer.slack_markup:unescape": FILE,
    "chat.transfer.text:words_in": FILE // 4,
    "chat.transfer.text:clean": FILE,
    "chat.transfer.text:email": FILE,
    "chat.transfer.text:shown_name": FILE // 4,
    "chat.transfer.text:split_body": 8 * FILE,
    "chat.transfer.text:title": FILE // 4,
    "chat.transfer.text:topic": FILE // 4,
    "chat.files.endpoints:find_name": HEAD,
    "chat.files.endpoints:parse_metadata": HEAD,
    "chat.files.models:clean_name": HEAD,
    "chat.files.models:shorten": HEAD,
    "chat.files.models:strip_edges": HEAD,
    "chat.conversations.drafts:check_reference": BODY,
    "chat.log.entry:parse_cursor": HEAD,
    "chat.model.types:check_text": MESSAGE,
    "chat.model.types:check_piece": MESSAGE,
    "chat.model.types:check_words": MESSAGE,
    "chat.model.types:parse_moment": BODY,
    "chat.messages.reactions:parse_emoji": MESSAGE,
    "chat.messages.reactions:strip_selectors": MESSAGE,
    "chat.messages.triage:parse_place": HEAD,
    "chat.search.lexemes:is_hungarian": MESSAGE,
    "chat.search.lexemes:quote": MESSAGE,
    "chat.search.lexemes:quoted_grams": MESSAGE,
    "chat.search.query:cut_formerly": MESSAGE,
    "chat.search.query:keys_for": MESSAGE,
    "chat.shared.sql:quote": MESSAGE,
    "chat.shared.setting_checks:parse_origin": HEAD,
    "chat.shared.identity:parse_acted": HEAD,
    "chat.shared.web:parse_address": HEAD,
    "chat.shared.multipart:find_boundary": HEAD,
    "chat.shared.multipart:parse_extended": HEAD,
    "chat.shared.multipart:parse_parameters": HEAD,
    "chat.shared.appearance:check_line": 250,
    "chat.shared.appearance:is_visible": MESSAGE,
    "chat.shared.appearance:look_key": MESSAGE,
    "chat.shared.appearance:limit_marks": MESSAGE,
    "chat.shared.appearance:skeleton": MESSAGE,
    "chat.shared.appearance:mixes_scripts": MESSAGE,
    "chat.model.types:check_shown": 80,
    "presence.dashboard:like": QUERY,
}

# Functions of bytes.
BYTES_BY_NAME = {
    "chat.messages.preview_worker:decode": FILE,
    "chat.client.sse:parse_event": BODY,
    "chat.client.sse:find_last_id": BODY,
    "chat.client.sse:read_status": BODY,
    "chat.client.sse:read_size": BODY,
    "chat.files.models:find_type": BODY,
    "chat.files.models:is_text": 8_192,
    "chat.log.entry:unpack": BODY,
    "chat.log.entry:unpack_range": BODY,
    "chat.log.entry:decode_frame": BODY,
    "chat.log.entry:encode_chunk": BODY,
    "chat.log.entry:escape_line_ends": BODY,
    "chat.log.entry:split_frame": BODY,
    "chat.search.indexer:place_of": BODY,
    "chat.shared.multipart:parse_head": HEAD,
    "chat.shared.transport.ws_frames:check_text": FRAME,
    "chat.shared.transport.ws_frames:parse_close": 125,
    "chat.stream.stream:encode_text": BODY,
    "presence.protocol:parse_signal": 4_096,
}


def json_of(**fields: object) -> bytes:
    """Return a request's body."""
    return orjson.dumps(fields)


def highlight_words(text: str) -> object:
    """Search a message for words, phrases and signs that it nearly contains."""
    words = [
        SearchTerms(("a", "a", "b")),
        SearchTerms(("aa",), prefix=True),
        SearchTerms(("a", "a", "c"), prefix=True),
        SearchTerms(sign="\u6771~"),
        SearchTerms(("a", "b")),
    ]
    return highlight(text, words)


def feed_bytes(data: bytes) -> list[object]:
    """Feed a WebSocket reader with what may be frames, in two parts."""
    reader, half = FrameReader(), len(data) // 2
    return [*reader.feed(data[:half]), *reader.feed(data[half:])]


def ask_for_upgrade(text: str) -> str:
    """Answer an opening handshake whose key is the text."""
    fields = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": text}
    return accept_key(CIMultiDict(fields))


def feed_frames(data: bytes) -> list[object]:
    """Feed a WebSocket reader with the smallest frames: pongs whose payload is the text, six bytes at a time."""
    return list(
        FrameReader().feed(b"".join(b"\x8a\x86mask" + data[n : n + 6].ljust(6) for n in range(0, len(data), 6)))
    )


def feed_form(data: bytes) -> list[object]:
    """Feed the parser of forms with a file whose content is nearly full of boundaries, 64 bytes at a time."""
    parser = FormParser(b"a")
    form = b'--a\r\nContent-Disposition: form-data; filename="a"\r\n\r\n' + data.replace(b"\n", b"\r\n--")
    return [parser.feed(form[n : n + 64]) for n in range(0, len(form), 64)]


def feed_chunks(data: bytes) -> object:
    """Read one long chunk of an HTTP answer that arrives 64 bytes at a time."""
    body, sent = ResponseBody(), b"HTTP/1.1 200 OK\r\n\r\n%x\r\n%b\r\n" % (len(data), data)
    return [body.feed(piece) for piece in pieces_of_bytes(sent)]


def feed_events(data: bytes) -> object:
    """Read an event stream that arrives 64 bytes at a time: one long event, then one for each line."""
    parser, sent = EventParser(), b"data: " + data + b"\n\n" + data.replace(b"\n", b"\n\r\n")
    return [parser.feed(piece) for piece in pieces_of_bytes(sent)]


def split_events(data: bytes) -> object:
    """Split an event stream that arrives three bytes at a time, with every kind of line end."""
    splitter, sent = EventSplitter(), data.replace(b"\n", b"\r\n\n\r")
    return [splitter.feed(sent[n : n + 3]) for n in range(0, len(sent), 3)]


def pieces_of_bytes(data: bytes) -> list[bytes]:
    """Return `data` in pieces of 64 bytes."""
    return [data[n : n + 64] for n in range(0, len(data), 64)]


def read_markdown(text: str) -> object:
    """Read a post of Mattermost."""
    return MattermostPosts(MattermostPeople()).read("town", {"user": "ana", "message": text, "create_at": 1})


def pieces_of(text: str) -> list[str]:
    """Return `text` in pieces of seven characters."""
    return [text[n : n + 7] for n in range(0, len(text), 7)]


MEDIA = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0"
HERE = Cursor("abc", 7)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


# Functions with more arguments than the text, with a call that passes it.
def afresh(run: Callable[[], object]) -> object:
    """Run without the memory of folded words, which would answer the second run of a short text alone."""
    fold_short.cache_clear()
    return run()


ADAPTED = {
    "chat.accounts.sign_on:read_attempt": Subject(lambda text: read_attempt(f"login.1.1.{text}", "x", 1.0), HEAD),
    "chat.accounts.sign_on:check_next": Subject(check_next, HEAD),
    "chat.accounts.models:NewAccount.check_strength": Subject(
        lambda text: parse_model(json_of(name="mallory", password=text, device=text[:100]), SignUp), PASSWORD
    ),
    "chat.accounts.models:LogIn": Subject(lambda text: parse_model(json_of(name=text, password="x"), LogIn), BODY),
    "chat.accounts.models:Profile": Subject(lambda text: parse_model(json_of(about=text), Profile), BODY),
    "chat.accounts.validation:check_about": Subject(TypeAdapter(About).validate_python, 500),
    "chat.accounts.validation:DisplayName": Subject(TypeAdapter(DisplayName).validate_python, 64),
    "chat.accounts.validation:check_password": Subject(lambda text: check_password(text, "mallory"), PASSWORD),
    "chat.accounts.validation:is_common": Subject(lambda text: is_common(f"{text}xK9!vQ2@", "mallory"), 248),
    "chat.accounts.validation:candidate_names": Subject(lambda text: next(candidate_names(text)), HEAD),
    "chat.accounts.validation:is_repeated": Subject(is_repeated, 18 * 256),
    "chat.accounts.validation:end_of_run": Subject(lambda text: end_of_run(text, 0), 18 * 256),
    "chat.accounts.validation:is_weak": Subject(is_weak, 4 * 256),
    "chat.accounts.validation:without_runs": Subject(without_runs, 4 * 256),
    "chat.accounts.validation:without_words": Subject(lambda text: without_words(text, ["aa", text[:64]]), 18 * 256),
    "chat.messages.mention_parser:closes": Subject(lambda text: closes(text, "```"), MESSAGE),
    "chat.client.sse:ResponseBody.feed": Subject(feed_chunks, BODY, encoded=True),
    "chat.client.sse:EventParser.feed": Subject(feed_events, BODY, encoded=True),
    "chat.client.sse:EventSplitter.feed": Subject(split_events, BODY // 8, encoded=True),
    "chat.conversations.drafts:ConversationDraft.fit_kind": Subject(
        lambda text: parse_model(json_of(kind="channel", name=text[:80], topic=text[:250]), ConversationDraft), 250
    ),
    "chat.conversations.drafts:Name": Subject(TypeAdapter(ConversationName).validate_python, 80),
    "chat.transfer.text:toned": Subject(lambda text: toned(text, text), FILE),
    "chat.transfer.archive:read_lines": Subject(lambda data: read_lines(BytesIO(data), int, 100), FILE, encoded=True),
    "chat.transfer.mattermost:MattermostPosts.read": Subject(read_markdown, FILE),
    "chat.transfer.mattermost:MattermostPosts.plain": Subject(MattermostPosts(MattermostPeople()).plain, FILE),
    "chat.transfer.text:rename_channels": Subject(lambda text: rename_channels(text, {"a": "b", "a b": "c"}), FILE),
    "chat.transfer.text:rename_mentions": Subject(lambda text: rename_mentions(text, {"ana": "una"}), FILE),
    "chat.transfer.slack_markup:MarkdownWriter.write": Subject(text_as_markdown, FILE),
    "chat.transfer.slack_markup:link_to": Subject(lambda text: link_to(f"http://{text}", text), FILE),
    "chat.transfer.slack_markup:stacked": Subject(lambda text: stacked(pieces_of(text)), FILE),
    "chat.transfer.slack_blocks:BlockWriter.blocks": Subject(blocks_as_markdown, FILE // 8),
    "chat.transfer.slack_blocks:without_previews": Subject(shapes_as_markdown, FILE // 8, cases=1),
    "chat.transfer.slack_blocks:file_text": Subject(file_as_markdown, FILE // 4),
    "chat.transfer.slack_blocks:is_preview": Subject(lambda text: is_preview({"from_url": text[:100]}, text), FILE),
    "chat.transfer.slack_markup:marked": Subject(lambda text: marked(text, ("bold", "code")), FILE),
    "chat.transfer.archive:read_list": Subject(lambda data: read_list(b"[" + data), FILE, encoded=True),
    "chat.transfer.text:parse": Subject(lambda text: parse(json_of(a=text)[:-2] + b'\\ud83d"}'), FILE // 4),
    "chat.transfer.text:digest": Subject(lambda text: digest(text, text), FILE),
    "chat.transfer.text:link": Subject(lambda text: link(text, f"https://{text}"), FILE // 4),
    "chat.transfer.text:one_line": Subject(lambda text: one_line(text, 80), FILE // 4),
    "chat.files.image_worker:find_metadata": Subject(
        lambda data: find_metadata(MEDIA + data, b"x"), BODY, encoded=True
    ),
    "chat.files.image_worker:jpeg_metadata": Subject(lambda data: jpeg_metadata(data, b"x"), BODY, encoded=True),
    "chat.files.image_worker:png_metadata": Subject(lambda data: png_metadata(data, b"x"), BODY, encoded=True),
    "chat.files.image_worker:webp_metadata": Subject(lambda data: webp_metadata(data, b"x"), BODY, encoded=True),
    "chat.files.models:parse_range": Subject(lambda text: parse_range(text, 1_000), HEAD),
    "chat.messages.socket_commands:read_command": Subject(read_command, BODY, encoded=True),
    "chat.log.entry:encode_frame": Subject(lambda data: encode_frame("a.1", None, data), BODY, encoded=True),
    "chat.log.entry:in_epoch": Subject(lambda data: in_epoch(encode_frame("a.1", None, data), "b"), BODY, encoded=True),
    "chat.log.entry:encode_notice": Subject(lambda data: encode_notice("reset", data), BODY, encoded=True),
    "chat.log.entry:event_name": Subject(event_name, MESSAGE),
    "chat.log.redaction:append_data": Subject(lambda text: append_data(1, 1, 0, text), MESSAGE),
    "chat.log.redaction:without_data": Subject(
        lambda text: without_data(encode_frame("a.1", "finish", json_of(data=text))), MESSAGE
    ),
    "chat.log.redaction:without_name": Subject(
        lambda text: without_name(encode_frame("a.1", "user", json_of(name=text)), 7), MESSAGE
    ),
    "chat.messages.drafts:AddressedDraft": Subject(
        lambda text: parse_model(json_of(conversation=1, body=text, client_id=text), AddressedDraft), BODY
    ),
    "chat.messages.drafts:Append": Subject(lambda text: parse_model(json_of(at=0, text=text), Append), BODY),
    "chat.messages.reminders:parse_when": Subject(lambda text: parse_when(text, datetime(2026, 1, 1, 9)), MESSAGE),
    "chat.messages.drafts:DraftBatch": Subject(lambda text: parse_model(json_of(messages=text), DraftBatch), BODY),
    "chat.model.conversation:name_keys": Subject(lambda text: name_keys("channel", text), MESSAGE),
    "chat.model.types:check_exact": Subject(check_exact, BODY, encoded=True),
    "chat.model.types:check_values": Subject(lambda text: encode_data({"a": text, text: [text]}), MESSAGE),
    "chat.model.types:check_said": Subject(lambda text: check_said(text, None), MESSAGE),
    "chat.log.redaction:erase": Subject(
        lambda text: erase(encode_frame("a.1", None, json_of(seq=1, body=text)), {"body": text, "files": None}), MESSAGE
    ),
    "chat.moderation.endpoints:check_note": Subject(TypeAdapter(Note).validate_python, 500),
    "chat.operations.endpoints:parse_time": Subject(lambda text: parse_time(text, "after", LONG_AGO), HEAD),
    "chat.search.highlight:highlight": Subject(highlight_words, MESSAGE),
    "chat.search.lexemes:encode_words": Subject(lambda text: encode_words(text, [text[:200]]), MESSAGE),
    "chat.search.query:parse_day": Subject(lambda text: parse_day(text, "before"), HEAD),
    "chat.search.query:want": Subject(lambda text: afresh(lambda: [*want(SearchPiece(text, star=True))]), QUERY),
    "chat.search.query:parse_query": Subject(lambda text: afresh(lambda: parse_query(text)), QUERY),
    "chat.search.query:cut": Subject(lambda text: cut(text, True), MESSAGE),
    "chat.shared.sql:texts": Subject(lambda text: texts(pieces_of(text)), MESSAGE),
    "chat.shared.sql:elements": Subject(lambda text: elements(pieces_of(text)), MESSAGE),
    "chat.shared.web:parse_ids": Subject(lambda text: parse_ids(text, "ids", 500), HEAD),
    "chat.shared.web:parse_model": Subject(lambda data: parse_model(data, Draft), BODY, encoded=True),
    "chat.shared.multipart:FormParser.feed": Subject(feed_form, BODY, encoded=True),
    "chat.shared.rate_limits:hash_key": Subject(lambda text: hash_key(text, text), QUERY),
    "chat.shared.logging:LogThrottle.count": Subject(lambda text: LogThrottle(float).count("failed", text), MESSAGE),
    "chat.shared.transport.ws_frames:FrameReader.feed": Subject(feed_frames, 2 * FRAME, encoded=True, cases=5),
    "chat.shared.transport.ws_frames:FrameReader": Subject(feed_bytes, FRAME, encoded=True),
    "chat.shared.transport.ws_protocol:accept_key": Subject(ask_for_upgrade, HEAD),
    "chat.shared.transport.ws_frames:unmask": Subject(lambda data: unmask(data, b"mask"), FRAME, encoded=True),
    "chat.stream.stream:Chunk.__init__": Subject(lambda data: Chunk(b"a: " + data).texts(), BODY, encoded=True),
    "chat.stream.endpoints:split_frames": Subject(lambda data: split_frames([data, data]), BODY, encoded=True),
    "chat.stream.resume:choose_start": Subject(lambda text: choose_start(text, HERE, 1, 9, {}), HEAD),
    "chat.stream.connections:is_ahead": Subject(lambda text: is_ahead(text, HERE, {}), HEAD),
    "presence.protocol:SetStatus": Subject(lambda text: parse_signal(json_of(type="status", text=text)), 4_096),
}

# Modules of the pure core that read no foreign text.
OWN_MODULES = {
    "chat.tools.bench.report": "figures of a benchmark",
    "chat.conversations.permissions": "roles from the database",
}


def resolve(name: str) -> object:
    """Return the function or class that `module:name` names."""
    module, _, path = name.partition(":")
    found: object = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def plain(name: str) -> Run:
    """Return the function, without the memory that would answer a second run."""
    found = resolve(name)
    return cast(Run, getattr(found, "__wrapped__", found))


SUBJECTS = (
    {name: Subject(plain(name), most) for name, most in BY_NAME.items()}
    | {name: Subject(plain(name), most, encoded=True) for name, most in BYTES_BY_NAME.items()}
    | ADAPTED
    | FOREIGN
)
