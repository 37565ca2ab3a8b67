"""Slack's markup (`mrkdwn`) as Markdown. Pure.

Slack stores users, channels and links as `<…>` and escapes `&`, `<` and `>`. One star is bold, one tilde is struck.
Code stays as it is, except for escapes and names.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from chat.transfer.foreign import ForeignEmoji
from chat.transfer.text import show_emoji

CODE = re.compile(r"```(.*?)```|`([^`\n]+)`", re.DOTALL)
MARK = re.compile(r"<([^<>\n]+)>")
BOLD = re.compile(r"(?<![^\W_])(?<![*\\])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![^\W_]|\*)")
STRUCK = re.compile(r"(?<![^\W_])(?<![~\\])~(?=[^\s~])([^~\n]+?)(?<=\S)~(?![^\W_]|~)")
LITERAL = (
    (re.compile(r"(?<![^\W_])(?<!\*)\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![^\W_]|\*)"), "*"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)"), "_"),
    (re.compile(r"`([^`\n]+)`"), "`"),
)
HEADING = re.compile(r"^(#{1,6})(?=\s)", re.MULTILINE)
BULLET = re.compile("^( *)[•◦▪](?:\ufe0e)? +", re.MULTILINE)
REST_QUOTED = re.compile(r"^>>>[ \n]?(.*)", re.MULTILINE | re.DOTALL)
HELD = re.compile("\ue000([0-9]{1,7})\ue001")
ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
SCRIPTS = ("javascript:", "vbscript:", "data:")
STYLES = {"bold": "**", "italic": "_", "strike": "~~"}
Styles = tuple[str, ...]
EVERYONE = {"here": "here", "channel": "channel", "everyone": "channel"}


@dataclass
class SlackText:
    """The converted text. `mentions`: account names; `everyone`: the mention of all members, if any.

    `groups`: the user groups and `channels`: the ids of the channels that it names.
    """

    body: str = ""
    mentions: list[str] = field(default_factory=list)
    everyone: str | None = None
    groups: list[str] = field(default_factory=list)
    channels: dict[str, str] = field(default_factory=dict)


class MarkdownWriter:
    """Converts texts. `user` and `channel` return the name for an id of Slack. `custom`: the workspace's own emoji."""

    def __init__(
        self, user: Callable[[str], str], channel: Callable[[str, str], str], custom: ForeignEmoji | None = None
    ) -> None:
        self._user, self._channel, self.custom = user, channel, custom or ForeignEmoji()

    def write(self, text: str, made: SlackText | None = None) -> SlackText:
        """Return the converted text. What it mentions is added to `made`."""
        made = made or SlackText()
        made.body = self.convert(text, made)
        return made

    def convert(self, text: str, made: SlackText) -> str:
        """Return the text in Markdown.

        Code and marks are held back, so that nothing within them is read as a style.
        """
        held: list[str] = []

        def hold(shown: str) -> str:
            held.append(shown)
            return f"\ue000{len(held) - 1}\ue001"

        coded = CODE.sub(lambda code: hold(self._code(code)), HELD.sub("", text))
        marked = MARK.sub(lambda mark: hold(self._mark(mark[1], made)), coded)
        styled = STRUCK.sub(r"~~\1~~", BOLD.sub(r"**\1**", marked))
        plain = HEADING.sub(r"\\\1", BULLET.sub(r"\1- ", unescape(show_emoji(styled))))

        def restore(part: str) -> str:
            return HELD.sub(lambda place: held[int(place[1])] if int(place[1]) < len(held) else "", part)

        return separated(restore(REST_QUOTED.sub(lambda rest: quote(restore(rest[1])), plain))).strip()

    def _code(self, code: re.Match[str]) -> str:
        if code[1] is None:
            return f"`{unescape(MARK.sub(self._within_code, code[2]))}`"
        return "\n" + fenced(unescape(MARK.sub(self._within_code, code[1]))) + "\n"

    def _within_code(self, mark: re.Match[str]) -> str:
        """Return what a reader sees of a mark within code. It mentions no one."""
        what, _, shown = mark[1].partition("|")
        return self._mark(mark[1], SlackText()) if what[:1] in "@#!" else shown or what

    def _mark(self, mark: str, made: SlackText) -> str:
        what, _, shown = mark.partition("|")
        match what[:1]:
            case "@":
                return self.user(what[1:], made)
            case "#":
                return self.channel(what[1:], unescape(shown), made)
            case "!":
                return self._command(what[1:], unescape(shown), made)
        return link_to(unescape(what), show_emoji(unescape(shown)))

    def user(self, user_id: str, made: SlackText) -> str:
        """Return the mention of a user."""
        made.mentions.append(self._user(user_id))
        return "@" + made.mentions[-1]

    def channel(self, channel_id: str, shown: str, made: SlackText) -> str:
        """Return the name of a channel."""
        name = self._channel(channel_id, shown)
        made.channels[name] = channel_id
        return "#" + name

    def group(self, group_id: str, shown: str, made: SlackText) -> str:
        """Return the mention of a user group. Tandem has none, so it notifies no one."""
        made.groups.append(shown.lstrip("@") or group_id)
        return "@" + made.groups[-1]

    def everyone(self, which: str, made: SlackText) -> str:
        """Return the mention of all members."""
        made.everyone = EVERYONE[which]
        return "@" + made.everyone

    def _command(self, command: str, shown: str, made: SlackText) -> str:
        what, _, rest = command.partition("^")
        if what in EVERYONE:
            return self.everyone(what, made)
        if what == "subteam":
            return self.group(rest, shown, made)
        if what == "date" and (url := rest.rpartition("^")[2]).startswith("https://"):
            return link_to(unescape(url), shown)
        return shown or what


def link_to(url: str, shown: str) -> str:
    """Return a Markdown link."""
    if not shown or shown in (url, url.partition(":")[2], url.removeprefix("http://")):
        return url.removeprefix("mailto:").removeprefix("tel:")
    if not url.startswith(("https://", "http://", "mailto:")):
        return f"{shown} ({url})" if ":" in url and not url.lower().startswith(SCRIPTS) else shown
    return "[{}](<{}>)".format(re.sub(r"([\[\]\\])", r"\\\1", shown), url)


def unescape(text: str) -> str:
    """Replace Slack's three escapes."""
    for escape, sign in ESCAPES:
        text = text.replace(escape, sign)
    return text


# Markdown's blocks.

RUN = re.compile(r"`+")
FENCE = re.compile(r" {0,3}(`{3,})")
QUOTED = re.compile(r" {0,3}>")
LEADING = re.compile(r"^ *(?:>|(?:[-+*]|\d{1,9}[.)]) )", re.MULTILINE)
ITEM = re.compile(r" *(?:[-+*]|\d{1,9}[.)]) ")


def fenced(code: str, language: str = "") -> str:
    """Return a block of code, within more backticks than the code has in a row."""
    marks = "`" * max(3, 1 + max((len(run) for run in RUN.findall(code)), default=0))
    return f"{marks}{language if language.isalnum() else ''}\n{code.strip(chr(10))}\n{marks}"


def quote(text: str) -> str:
    """Return the text as quoted lines."""
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def separated(text: str) -> str:
    """Return the text with an empty line after each quote and list, so that what follows does not belong to it."""
    if not LEADING.search(text):
        return text
    lines, fence, before = [], "", ""
    for line in text.split("\n"):
        if fence or (opened := FENCE.match(line)):
            closed = fence and line.strip() == fence
            fence = "" if closed else fence or opened[1]  # type: ignore[index]
            kind = ""
        else:
            kind = kind_of(line)
            if kind == "text" and before == "list" and line.startswith("  "):
                kind = "list"
            elif kind == "text" and before in ("quote", "list"):
                lines.append("")
        lines.append(line)
        before = kind
    return "\n".join(lines)


def kind_of(line: str) -> str:
    """Return what a line is in Markdown: empty, quote, list or text."""
    if not line.strip():
        return ""
    return "quote" if QUOTED.match(line) else "list" if ITEM.match(line) else "text"


def stacked(parts: Iterable[str]) -> str:
    """Return the parts of a message, one below the other."""
    found = [part for part in parts if part and not part.isspace()]
    if len(found) <= 1:
        return separated(found[0]) if found else ""
    joined = [found[0]]
    for before, part in pairwise(found):
        quotes = QUOTED.match(part) and kind_of(before.rpartition("\n")[2]) == "quote"
        joined.append(f"\n\n{part}" if quotes else f"\n{part}")
    return separated("".join(joined))


def marked(text: str, styles: Styles) -> str:
    """Return the text between the marks of its styles. Spaces stay outside: otherwise the marks would be shown."""
    inner = text.strip()
    if not styles or not inner or ("\n" in inner and "code" not in styles):
        return "\n".join(marked(line, styles) for line in text.split("\n")) if styles and inner else text
    if "code" in styles:
        ticks = "``" if "`" in inner else "`"
        pad = " " if inner[0] == "`" or inner[-1] == "`" else ""
        inner = f"{ticks}{pad}{' '.join(inner.split(chr(10)))}{pad}{ticks}"
    for name, mark in STYLES.items():
        if name in styles:
            inner = f"{mark}{inner}{mark}"
    start = len(text) - len(text.lstrip())
    return text[:start] + inner + text[len(text.rstrip()) :]


def literal(text: str) -> str:
    """Return text of the editor, in which signs of Markdown are only signs: those that would be markup are escaped."""
    for pattern, sign in LITERAL:
        text = pattern.sub(rf"\\{sign}\1\\{sign}", text) if sign in text else text
    return "\n".join(f"\\{line}" if line.startswith(("# ", "## ", "### ", ">")) else line for line in text.split("\n"))
