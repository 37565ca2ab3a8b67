"""The parts of a Slack message besides its text: blocks, attachments and files, as Markdown. Pure.

Bots write blocks. Slack's own editor writes rich text in blocks, and a copy of it as text. Attachments are what bots
wrote before there were blocks, previews of links, and forwarded messages.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape as unescape_html
from typing import Any

from chat.transfer.foreign import dicts_in
from chat.transfer.slack_markup import (
    MarkdownWriter,
    SlackText,
    Styles,
    fenced,
    link_to,
    literal,
    marked,
    quote,
    separated,
    stacked,
    unescape,
)
from chat.transfer.text import find_emoji, link, show_emoji, words_in

Fields = Mapping[str, Any]
MAX_URL = 4_000
MAX_DEPTH = 20  # blocks within attachments within forwarded messages …
# Limits of Slack, without which a short payload could become a text of any length: columns to which the rows of a table
# are filled up, levels of lists, and attachments that are compared with the beginning of the text.
MAX_COLUMNS, MAX_INDENT, MAX_PREVIEWS, MAX_LINKED = 20, 8, 100, 40_000
TAG = re.compile(r"<[^<>]*>")
SHOWN_FIELDS = ("title", "text", "value", "label", "name", "fallback", "alt_text", "description", "hint", "url")


class BlockWriter:
    """Converts the blocks, attachments and files of one message. Mentions are added to `made`.

    `complete`: all blocks so far were rich text, and nothing in them was unknown.
    """

    def __init__(self, writer: MarkdownWriter, made: SlackText, depth: int = 0) -> None:
        self._writer, self._made, self._depth = writer, made, depth
        self.complete = True

    def blocks(self, blocks: object) -> str:
        """Return all blocks, one below the other."""
        if self._depth > MAX_DEPTH:
            return ""
        return stacked(self._block(one) for one in dicts_in(blocks))

    def _block(self, block: Fields) -> str:
        if block.get("type") == "rich_text":
            rich = RichText(self._writer, self._made)
            shown = rich.write(block)
            self.complete = self.complete and rich.complete
            return shown
        self.complete = False
        below = BlockWriter(self._writer, self._made, self._depth + 1)
        match block.get("type"):
            case "header":
                return f"**{text}**" if (text := below.text(block.get("text"))) else ""
            case "section":
                parts = [below.text(block.get("text")), *(below.text(one) for one in dicts_in(block.get("fields")))]
                return stacked([*parts, below.element(block.get("accessory"))])
            case "context" | "actions":
                return " ".join(filter(None, map(below.element, dicts_in(block.get("elements")))))
            case "image":
                return below.element(block)
            case "table":
                return below.table(block)
            case "markdown":
                return text_in(block, "text")
            case "divider":
                return ""
            case "video":
                title = link_to(text_in(block, "title_url"), below.text(block.get("title")))
                described = [below.text(block.get("description")), text_in(block, "author_name", "provider_name")]
                return stacked(
                    [title, *described, video] if (video := text_in(block, "video_url")) else [title, *described]
                )
        return below.element(block)

    def text(self, one: object) -> str:
        """Return a text object: plain, or in Slack's markup."""
        if isinstance(one, str):
            return self._writer.convert(one, self._made)
        if not isinstance(one, dict):
            return ""
        kind, text = one.get("type", "mrkdwn"), text_in(one, "text")
        if kind == "mrkdwn":
            return self._writer.convert(text, self._made)
        return show_emoji(text) if kind == "plain_text" else self._block(one)

    def element(self, one: object) -> str:
        """Return an element: a text, a picture, a button, a menu with its options, or what else has words."""
        if not isinstance(one, dict) or self._depth > MAX_DEPTH:
            return ""
        match one.get("type"):
            case "mrkdwn" | "plain_text":
                return self.text(one)
            case "image":
                return self._image(one)
            case "button" | "workflow_button":
                return link_to(text_in(one, "url"), self.text(one.get("text")))
        below = BlockWriter(self._writer, self._made, self._depth + 1)
        machine = "value" if isinstance(one.get("text"), dict) else ""  # of the option of a menu
        parts = [below.text(one.get(name)) for name in SHOWN_FIELDS if name != machine]
        nested = [one.get(name) for name in ("element", "options", "option_groups", "elements", "call", "v1")]
        for more in nested:
            parts += [below.element(each) for each in dicts_in(more)]
        return stacked(dict.fromkeys(filter(None, parts)))

    def _image(self, image: Fields) -> str:
        file = image.get("slack_file")
        url = text_in(image, "image_url") or (text_in(file, "url", "id") if isinstance(file, dict) else "")
        title, shown = self.text(image.get("title")), text_in(image, "alt_text")
        return " ".join(filter(None, [title, link_to(url, shown) if url.startswith("http") else shown]))

    def table(self, table: Fields) -> str:
        """Return a table. Its first row is the heading."""
        found = table.get("rows")
        rows = [[*map(self._cell, row)] for row in (found if isinstance(found, list) else ()) if isinstance(row, list)]
        width = max(map(len, rows), default=0)
        lines = [f"| {' | '.join(row + [''] * (min(width, MAX_COLUMNS) - len(row)))} |" for row in rows if row]
        return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]]) if lines else ""

    def _cell(self, cell: object) -> str:
        raw = isinstance(cell, dict) and cell.get("type") == "raw_text"
        shown = text_in(cell, "text") if raw else self.text(cell)
        return " ".join(shown.split()).replace("|", "\\|")

    def attachment(self, one: Fields) -> str:
        """Return an attachment as a quote: a forwarded message with its author, or what a bot wrote."""
        if self._depth > MAX_DEPTH:
            return ""
        below = BlockWriter(self._writer, self._made, self._depth + 1)
        if one.get("is_msg_unfurl") or one.get("is_share"):
            return quote(below.forwarded(one))
        text = below.blocks(one.get("blocks")) or below.text(text_in(one, "text"))
        author, footer = below._named(one, "author_name", "author_link"), below.text(text_in(one, "footer"))
        parts = [author, *below._content(one, text), footer]
        pretext = below.text(text_in(one, "pretext"))
        if not any([pretext, *parts]):
            parts = [below.text(text_in(one, "fallback"))]
        return stacked([pretext, quote(stacked(parts)) if any(parts) else ""])

    def _content(self, one: Fields, text: str) -> list[str]:
        """Return what an attachment says between its author and its footer."""
        parts = [self._named(one, "title", "title_link"), text]
        fields = [f"{text_in(each, 'title')}: {text_in(each, 'value')}" for each in dicts_in(one.get("fields"))]
        parts += [self.text(each.strip(": ")) for each in fields]
        parts += [url for name in ("image_url", "thumb_url", "video_url") if (url := text_in(one, name))]
        parts += [self.element({**each, "type": "button"}) for each in dicts_in(one.get("actions"))]
        return parts + [file_text(each) for each in dicts_in(one.get("files"))]

    def _named(self, one: Fields, name: str, url: str) -> str:
        """Return a name with its link."""
        shown = self.text(text_in(one, name))
        return link_to(text_in(one, url), shown) if shown or url != "author_link" else ""

    def forwarded(self, one: Fields) -> str:
        """Return a forwarded message below the name of its author and a link to it."""
        author = text_in(one, "author_name", "author_subname") or "?"
        channel, url = text_in(one, "channel_name"), text_in(one, "from_url")
        where = text_in(one, "footer") or (f"#{channel}" if channel else "")
        where = link_to(url, where or "message") if url else where
        messages = [each.get("message") for each in dicts_in(one.get("message_blocks"))]
        text = stacked(self.blocks(each.get("blocks")) for each in messages if isinstance(each, dict))
        text = text or self.blocks(one.get("blocks")) or self.text(text_in(one, "text"))
        parts = [self.text(text_in(one, "pretext")), *self._content(one, text)]
        parts += [self.attachment(each) for each in dicts_in(one.get("attachments"))]
        if not any(parts):
            parts = [self.text(text_in(one, "fallback"))]
        return stacked([f"**{author}**" + (f" · {where}" if where else ""), *parts])


# Rich text: the tree that Slack's editor writes.


KNOWN_FIELDS = {
    "rich_text": {"elements", "block_id"},
    "rich_text_section": {"elements"},
    "rich_text_quote": {"elements", "border"},
    "rich_text_preformatted": {"elements", "border", "language"},
    "rich_text_list": {"elements", "style", "indent", "offset", "border"},
    "text": {"text", "style"},
    "user": {"user_id", "style"},
    "channel": {"channel_id", "style"},
    "usergroup": {"usergroup_id", "style"},
    "broadcast": {"range", "style"},
    "emoji": {"name", "unicode", "skin_tone", "style"},
    "link": {"text", "url", "style"},
}


class RichText:
    """Converts a block of rich text. Mentions are added to `made`. `complete`: nothing in it was unknown."""

    def __init__(self, writer: MarkdownWriter, made: SlackText) -> None:
        self._writer, self._made = writer, made
        self.complete = True
        self._numbers: dict[int, int] = {}  # the last number of an ordered list, by depth

    def write(self, block: Fields) -> str:
        """Return the block."""
        lines: list[str] = []
        for element in self._elements(block):
            kind = element.get("type")
            if kind != "rich_text_list":
                self._numbers.clear()
            match kind:
                case "rich_text_list":
                    lines += self._list(element)
                    continue
                case "rich_text_preformatted":
                    text = fenced(self._inline(element, plain=True), text_in(element, "language"))
                case "rich_text_quote":
                    text = quote(self._inline(element).strip("\n"))
                case "rich_text_section":
                    text = self._inline(element).strip("\n")
                case _:
                    self.complete = False
                    text = self._inline({"elements": [element]})
            bordered = element.get("border") == 1 and kind == "rich_text_preformatted"
            lines += [quote(text) if bordered else text] if text.strip() else []
        return separated("\n".join(lines))

    def _elements(self, element: Fields) -> Iterator[Fields]:
        """Yield what is in an element. Note whether it, or its kind, has anything unknown."""
        found = element.get("elements")
        known = KNOWN_FIELDS.get(str(element.get("type")))
        self.complete = self.complete and known is not None and element.keys() - known <= {"type"}
        for one in dicts_in(found):
            known = KNOWN_FIELDS.get(str(one.get("type")))
            if known is None or not one.keys() - known <= {"type"} or not isinstance(one.get("text", ""), str):
                self.complete = False
            yield one

    def _list(self, element: Fields) -> Iterator[str]:
        """Yield the items of a list. Nested ones are lists of their own, with a greater `indent`."""
        depth = min(whole(element.get("indent")), MAX_INDENT)
        ordered = element.get("style") == "ordered"
        self._numbers = {at: number for at, number in self._numbers.items() if at <= depth}
        number = whole(element.get("offset")) or (self._numbers.get(depth, 0) if ordered else 0)
        for item in self._elements(element):
            number += 1
            text = self._inline(item).strip("\n").replace("\n", "\n" + "    " * (depth + 1))
            mark = f"{number}. " if ordered else "- "
            line = "    " * depth + mark + text
            yield quote(line) if element.get("border") else line
        self._numbers[depth] = number if ordered else 0

    def _inline(self, element: Fields, plain: bool = False) -> str:
        """Return what is within one element. Neighbours of the same style share its marks."""
        parts: list[tuple[Styles, str]] = []
        for one in self._elements(element):
            styles = () if plain else styles_of(one)
            shown = self._shown(one, plain or "code" in styles)
            if parts and parts[-1][0] == styles and "code" not in styles:
                parts[-1] = (styles, parts[-1][1] + shown)
            else:
                parts.append((styles, shown))
        return "".join(marked(shown, styles) for styles, shown in parts)

    def _shown(self, one: Fields, plain: bool) -> str:
        """Return one piece of text, a mention, a link or an emoji. `plain`: within code, which mentions no one."""
        made = SlackText() if plain else self._made
        match one.get("type"):
            case "text":
                return text_in(one, "text") if plain else literal(text_in(one, "text"))
            case "user":
                return self._writer.user(text_in(one, "user_id"), made)
            case "channel":
                return self._writer.channel(text_in(one, "channel_id"), "", made)
            case "usergroup":
                return self._writer.group(text_in(one, "usergroup_id"), "", made)
            case "broadcast" if one.get("range") in ("here", "channel", "everyone"):
                return self._writer.everyone(one["range"], made)
            case "emoji":
                return emoji_of(one)
            case "link":
                url, shown = text_in(one, "url"), text_in(one, "text")
                return (shown or url) if plain else link_to(url, show_emoji(shown))
            case "date":
                return text_in(one, "fallback") or text_in(one, "timestamp")
        self.complete = False
        if one.get("elements"):
            return self._inline(one, plain)
        return text_in(one, "text", "fallback", "name", "title", "value", "url")


def styles_of(one: Fields) -> Styles:
    """Return the styles of a piece of text."""
    style = one.get("style")
    if not isinstance(style, dict):
        return ()
    return tuple(name for name in ("bold", "italic", "strike", "code") if style.get(name))


def emoji_of(one: Fields) -> str:
    """Return an emoji, or the name of a custom one."""
    name, tone = text_in(one, "name"), one.get("skin_tone")
    named = f"{name}::skin-tone-{tone}" if tone else name
    return find_emoji(named) or find_emoji(name) or from_points(text_in(one, "unicode")) or f":{name}:"


def from_points(points: str) -> str:
    """Return the characters of code points such as `1f468-200d-1f4bb`."""
    try:
        return "".join(chr(int(point, 16)) for point in points.split("-")) if len(points) < 80 else ""
    except (ValueError, OverflowError):
        return ""


# Files.


MISSING = {"tombstone": "📎 deleted file", "hidden_by_limit": "📎 file hidden by a limit of Slack"}


def file_text(file: Fields, linked: bool = True, shown: bool = True) -> str:
    """Return a link to a file, and its words, if the export has them: of a snippet, a post, or an e-mail.

    `linked`: whether to begin with the link. `shown`: whether to show what is in the file.
    """
    if file.get("mode") in MISSING:
        return MISSING[str(file["mode"])]
    url = address_of(file)
    title, name = text_in(file, "title"), text_in(file, "name")
    document = file.get("mode") in ("quip", "canvas", "list", "space", "email")
    label = (title if document else name) or title or name or text_in(file, "mode")
    parts: list[str] = [link(show_emoji(label), url)] if linked else []
    if not words_in(title) <= words_in(label if linked else name):
        parts.append(title)
    parts += [text_in(file.get("initial_comment"), "comment"), text_in(file, "alt_txt")]
    if file.get("mode") == "email":
        senders = [text_in(one, "original", "address") for one in dicts_in(file.get("from"))]
        parts += [" ".join(senders), text_in(file, "subject"), text_in(file, "plain_text")]
    elif shown and (code := text_in(file, "content", "preview")):
        cut = "\n…" if file.get("preview_is_truncated") or whole(file.get("lines_more")) else ""
        is_post = file.get("mode") == "space"  # a document in HTML, or text
        text = unescape_html(TAG.sub("\n", code)) if is_post and code.startswith("<") else code
        parts.append(stacked(text.split("\n")) + cut if is_post else fenced(code + cut))
    transcript = file.get("transcription")
    preview = transcript.get("preview") if isinstance(transcript, dict) else None
    parts += [quote(said)] if (said := text_in(preview, "content")) else []
    return stacked(parts)


def address_of(file: Fields) -> str:
    """Return the address of a file, without the export's token in it that gives everyone access."""
    url = text_in(file, "url_private", "url_private_download", "permalink").partition("?")[0]
    return url if url.startswith(("https://", "http://")) and len(url) <= MAX_URL else ""


def without_previews(attachments: object, text: str) -> list[Fields]:
    """Return the attachments without those that Slack made as previews of links in the text."""
    found, linked = [*dicts_in(attachments)], text[:MAX_LINKED]
    return [one for n, one in enumerate(found) if n >= MAX_PREVIEWS or not is_preview(one, linked)]


def is_preview(attachment: Fields, text: str) -> bool:
    """Return whether Slack made the attachment as a preview of a link in the text."""
    if attachment.get("is_msg_unfurl") or attachment.get("is_share"):
        return False
    urls = [attachment.get(name) for name in ("from_url", "original_url", "app_unfurl_url")]
    shown = unescape(text)
    return any(isinstance(url, str) and url and (url in text or unescape(url) in shown) for url in urls)


# Values of any shape.


def text_in(fields: object, *names: str) -> str:
    """Return the first of these fields that is a text or a number, as text."""
    if not isinstance(fields, dict):
        return ""
    for name in names:
        if (value := fields.get(name)) and isinstance(value, str | int | float):
            return str(value)
    return ""


def whole(value: object) -> int:
    """Return a small whole number, or 0."""
    return value if isinstance(value, int) and 0 <= value < 1_000 else 0
