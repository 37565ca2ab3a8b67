"""The payloads of incoming hooks as drafts: Tandem's own, Slack's, and those of well-known senders. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from pydantic import ValidationError

from chat.integrations.senders import read_sender
from chat.messages.drafts import Draft
from chat.model.types import check_exact
from chat.shared.appearance import is_visible
from chat.shared.errors import Invalid
from chat.shared.web import name_errors
from chat.transfer.slack_blocks import BlockWriter, dicts_in, is_preview, text_in
from chat.transfer.slack_markup import MarkdownWriter, SlackText, literal, stacked
from chat.transfer.text import clean, find_emoji, one_line, parse, split_body

Fields = Mapping[str, Any]
MESSAGES_MOST = 5  # a longer payload is cut
NAME_MOST = 64
CUT = "_… the rest of this message was too long._"
SLACK_FIELDS = ("text", "blocks", "attachments")
UNKNOWN = "expected `body`, or Slack's `text`, `blocks` or `attachments`, with something to read in it"


def to_drafts(headers: Fields, body: bytes, id_: str, name: str) -> list[Draft]:
    """Return the messages that a delivery becomes, rarely more than one. Raise `Invalid`.

    `headers`: a mapping without case, as requests have. `id_`: the delivery's id, from which a repeated delivery gets
    the same client ids. `name`: the hook's.
    """
    fields, raw = read_payload(headers, body)
    if "body" in fields:
        return [read_own(fields, raw, id_)]
    sent = read_sender(headers, fields)
    text = clean(from_slack(fields, name) if sent is None else sent)
    if not is_visible(text):
        raise Invalid(errors=[{"field": "body", "detail": UNKNOWN}])
    bodies = split_body(text)
    if len(bodies) > MESSAGES_MOST:
        bodies[MESSAGES_MOST - 1 :] = [CUT]
    ids = [id_, *(f"{id_}.{number}" for number in range(2, len(bodies) + 1))]
    return [Draft(body=part, client_id=own) for part, own in zip(bodies, ids, strict=True)]


def read_own(fields: dict[str, Any], raw: bytes, id_: str) -> Draft:
    """Return the message in Tandem's own payload. Raise `Invalid`."""
    try:
        draft = Draft.model_validate({"client_id": id_} | fields)
        if draft.data is not None:
            check_exact(raw)
    except ValidationError as wrong:
        raise Invalid(errors=name_errors(wrong)) from None
    except ValueError as wrong:
        raise Invalid(errors=[{"field": "data", "detail": str(wrong)}]) from None
    if draft.streaming:
        raise Invalid(errors=[{"field": "streaming", "detail": "a hook cannot append to a message"}])
    return draft


def read_payload(headers: Fields, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the object in the body, and its JSON: the body itself, or a form's field `payload`. Raise `Invalid`."""
    kind = str(headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        body = read_form(body)
    try:
        fields = parse(body)
    except (orjson.JSONDecodeError, ValueError):
        raise Invalid("The body is not JSON, nor a form with JSON in its field `payload`.") from None
    if not isinstance(fields, dict):
        raise Invalid("The body must be a JSON object.")
    return fields, body


def read_form(body: bytes) -> bytes:
    """Return the field `payload` of a form; nothing if there is none."""
    try:
        form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        return b""
    return "".join(form.get("payload", ())[:1]).encode("utf-8", "replace")


# Slack's payload.


def from_slack(fields: Fields, name: str) -> str:
    """Return a payload of Slack's incoming webhooks as Markdown. `name`: the hook's, which is not repeated."""
    made = SlackText()
    writer = MarkdownWriter(lambda user_id: user_id, lambda channel_id, shown: shown or channel_id)
    blocks = BlockWriter(writer, made)
    text = text_in(fields, "text")
    shown = literal(text) if fields.get("mrkdwn") is False else writer.convert(text, made)
    told = blocks.blocks(fields.get("blocks")) or shown
    attachments = [one for one in dicts_in(fields.get("attachments")) if not is_preview(one, text)]
    said = stacked([told, *map(blocks.attachment, attachments)])
    return stacked([sender_line(fields, name), said]) if said else ""


def sender_line(fields: Fields, name: str) -> str:
    """Return a line with the name and emoji that the payload wants to be shown with, if they are not the hook's."""
    wanted = one_line(clean(text_in(fields, "username")), NAME_MOST)
    emoji = find_emoji(text_in(fields, "icon_emoji").strip(":")) or ""
    shown = f"**{literal(wanted)}**" if wanted and wanted != name else ""
    return " ".join(filter(None, [emoji, shown])) if shown else ""
