"""A Slack export as Slack writes it: lists, folders with a file a day, and its own markup."""

import json
import zipfile
from pathlib import Path
from typing import Any

from chat.transfer.slack_blocks import BlockWriter, file_text, without_previews
from chat.transfer.slack_markup import MarkdownWriter, SlackText, stacked

Json = dict[str, Any]
PEOPLE = {"U1ANA": "ana", "U2BEN": "ben.okafor", "U3CHLOE": "chloé", "U4GONE": "dmitri"}


def user(id_: str, name: str) -> Json:
    """Return a line of users.json."""
    profile = {"real_name": name.title(), "display_name": name.split(".")[0].title(), "title": "grows things"}
    return {
        "id": id_,
        "team_id": "T0FARM",
        "name": name,
        "deleted": id_ == "U4GONE",
        "profile": profile,
        "updated": 17e8,
    }


def said(ts: str, author: str, text: str, **more: Any) -> Json:
    """Return a message."""
    return {"type": "message", "user": author, "text": text, "ts": ts, **more}


GARDEN = {
    "2024-05-01.json": [
        said("1714550400.000100", "U1ANA", "<@U1ANA> has joined the channel", subtype="channel_join"),
        said("1714550460.000200", "U2BEN", "hi <@U1ANA> &amp; <!here>, *bold* _it_ ~no~ `a &lt; b` :tada: :nope:"),
        said(
            "1714550520.000300",
            "U1ANA",
            "see <https://example.org/a_b|the *list*> in <#C2KITCHEN|kitchen>",
            thread_ts="1714550520.000300",
            reactions=[
                {"name": "thumbsup::skin-tone-3", "users": ["U2BEN", "U3CHLOE"], "count": 2},
                {"name": "partyparrot", "users": ["U2BEN"], "count": 1},
            ],
            edited={"user": "U1ANA", "ts": "1714550530.000000"},
        ),
    ],
    "2024-05-02.json": [
        said("1714636800.000400", "U3CHLOE", "in the thread", thread_ts="1714550520.000300"),
        said("1714636860.000500", "U2BEN", "orphan", thread_ts="1600000000.000000"),
        said(
            "1714636900.000600",
            "U1ANA",
            "",
            files=[{"name": "plan [v2].pdf", "url_private": "https://files.slack.com/plan.pdf?t=xoxe-secret"}],
        ),
        {"type": "message", "subtype": "tombstone", "user": "U2BEN", "ts": "1714636910.000700", "text": "was deleted"},
        {"type": "message", "subtype": "bot_message", "bot_id": "B9", "username": "CI bot", "ts": "1714636920.000800"}
        | {"text": "built", "attachments": [{"title": "log", "title_link": "https://ci.example.org", "text": "ok"}]},
        said("1714636930.000900", "U9GUEST", "from afar", user_profile={"name": "guest", "real_name": "Gus Guest"}),
        said("1714636940.001000", "U4GONE", "long " * 5_000),
        said("1714636950.001100", "U1ANA", "", blocks=[{"type": "section", "text": {"text": "only blocks"}}]),
        said("1714636960.001200", "U1ANA", "x", subtype="message_deleted"),
    ],
}


def slack_files(garden: Json | None = None) -> Json:
    """Return the files of an export: a channel, an archived private one, a direct conversation, a group."""
    channels = [
        {"id": "C1GARDEN", "name": "garden", "created": 1714500000, "creator": "U1ANA", "members": [*PEOPLE][:3]}
        | {"topic": {"value": "what grows"}, "purpose": {"value": "all"}}
        | {"pins": [{"id": "1714550460.000200", "type": "C", "created": 1714560000, "user": "U3CHLOE"}]},
        {"id": "C2KITCHEN", "name": "kitchen", "created": 1714500000, "creator": "U4GONE", "members": ["U2BEN"]},
    ]
    secret = {"id": "G1", "name": "secret", "created": 1714500000, "creator": "U2BEN", "members": ["U2BEN", "U1ANA"]}
    direct = {"id": "D1", "created": 1714500000, "members": ["U1ANA", "U2BEN"]}
    group = {"id": "G2", "name": "mpdm-ana--ben--chloe-1", "created": 1714500000, "members": [*PEOPLE][:3]}
    days = {f"garden/{day}": list(messages) for day, messages in (garden or GARDEN).items()}
    return {
        "users.json": [user(*one) for one in PEOPLE.items()],
        "channels.json": channels,
        "groups.json": [secret | {"is_archived": True, "updated": 1714900000000}],
        "dms.json": [direct],
        "mpims.json": [group],
        "D1/2024-05-01.json": [said("1714550400.000100", "U2BEN", "only you")],
        "mpdm-ana--ben--chloe-1/2024-05-01.json": [said("1714550400.000100", "U3CHLOE", "we three")],
        "secret/2024-05-01.json": [said("1714550400.000100", "U2BEN", "psst")],
        "integration_logs.json": [],
        **days,
    }


def write_slack(path: Path, files: Json | None = None) -> Path:
    """Write the ZIP; data other than text is written as JSON on several lines, as Slack does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (files or slack_files()).items():
            archive.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content, indent=4))
    return path


def text_as_markdown(text: str) -> str:
    """Turn a text of Slack into Markdown."""
    return MarkdownWriter(lambda name: name, lambda name, shown: shown or name).write(text).body


def blocks_as_markdown(text: str) -> tuple[str, str]:
    """Turn rich text, sections and an attachment of Slack with this text into Markdown."""
    words = [{"type": "text", "text": text, "style": {"bold": True}}, {"type": "text", "text": text}]
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": words}]}
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": piece}} for piece in pieces]
    writer = BlockWriter(MarkdownWriter(lambda name: name, lambda name, shown: shown or name), SlackText())
    return writer.blocks([rich, *sections]), writer.attachment({"text": text, "blocks": sections})


def file_as_markdown(text: str) -> str:
    """Turn a file of Slack with this title and these words into Markdown."""
    return file_text({"title": text, "preview": text, "mode": "space"}) + file_text({"title": text, "preview": text})


def shapes_as_markdown(text: str) -> list[str]:
    """Turn payloads whose shape is hostile into Markdown: their sizes grow with the text, their words do not."""
    writer = BlockWriter(MarkdownWriter(lambda name: name, lambda name, shown: shown or name), SlackText())
    number = len(text)
    table = {"type": "table", "rows": [["a"] * number, *[["a"]] * number]}
    button: dict[str, Any] = {"type": "plain_text", "text": ""}
    for _ in range(number // 200):
        button = {"type": "button", "text": button}
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "a" + "\n" * number + "b"}]}
    deep = {"type": "rich_text", "elements": [{"type": "rich_text_list", "indent": 999, "elements": [item]}]}
    previews = without_previews([{"from_url": "ab"}] * number, "a" * 10 * number)
    return [*map(writer.blocks, [table, button, deep]), stacked(map(writer.attachment, previews))]
