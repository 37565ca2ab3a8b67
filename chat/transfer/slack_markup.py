"""Slack's markup (`mrkdwn`) as Markdown. Pure.

Slack stores users, channels and links as `<…>` and escapes `&`, `<` and `>`. One star is bold, one tilde is struck.
Code stays as it is, except for escapes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from chat.transfer.text import show_emoji

CODE = re.compile(r"```(.*?)```|`([^`\n]+)`", re.DOTALL)
MARK = re.compile(r"<([^<>\n]+)>")
BOLD = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])")
STRUCK = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]+?)(?<=\S)~(?![\w~])")
HEADING = re.compile(r"^(#{1,6})(?=\s)", re.MULTILINE)
HELD = re.compile("\ue000([0-9]{1,7})\ue001")
ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
EVERYONE = {"here": "here", "channel": "channel", "everyone": "channel"}


@dataclass
class SlackText:
    """The converted text. `mentions`: account names; `everyone`: the mention of all members, if any."""

    body: str = ""
    mentions: list[str] = field(default_factory=list)
    everyone: str | None = None


class MarkdownWriter:
    """Converts texts. `user` and `channel` return the name for an id of Slack."""

    def __init__(self, user: Callable[[str], str], channel: Callable[[str, str], str]) -> None:
        self._user, self._channel = user, channel

    def write(self, text: str) -> SlackText:
        """Return the converted text."""
        made, parts, at = SlackText(), [], 0
        for code in CODE.finditer(text):
            parts += [self._prose(text[at : code.start()], made), self._code(code)]
            at = code.end()
        made.body = "".join([*parts, self._prose(text[at:], made)]).strip()
        return made

    def _code(self, code: re.Match[str]) -> str:
        if code[1] is None:
            return f"`{unescape(MARK.sub(lambda mark: shown_of(mark[1]), code[2]))}`"
        block = unescape(MARK.sub(lambda mark: shown_of(mark[1]), code[1])).strip("\n")
        return f"\n```\n{block}\n```\n"

    def _prose(self, text: str, made: SlackText) -> str:
        """Convert text without code. Marks are held back, so that nothing within an address is read as a style."""
        held: list[str] = []

        def hold(mark: re.Match[str]) -> str:
            held.append(self._mark(mark[1], made))
            return f"\ue000{len(held) - 1}\ue001"

        marked = MARK.sub(hold, HELD.sub("", text))
        styled = STRUCK.sub(r"~~\1~~", BOLD.sub(r"**\1**", marked))
        plain = HEADING.sub(r"\\\1", unescape(show_emoji(styled)))
        return HELD.sub(lambda place: held[int(place[1])] if int(place[1]) < len(held) else "", plain)

    def _mark(self, mark: str, made: SlackText) -> str:
        what, _, shown = mark.partition("|")
        match what[:1]:
            case "@":
                made.mentions.append(self._user(what[1:]))
                return "@" + made.mentions[-1]
            case "#":
                return "#" + self._channel(what[1:], shown)
            case "!":
                return self._command(what[1:], shown, made)
        return link_to(unescape(what), unescape(shown))

    def _command(self, what: str, shown: str, made: SlackText) -> str:
        if what in EVERYONE:
            made.everyone = EVERYONE[what]
            return "@" + made.everyone
        return unescape(shown) or what.partition("^")[0]


def link_to(url: str, shown: str) -> str:
    """Return a Markdown link."""
    if not shown or shown in (url, url.removeprefix("mailto:"), url.removeprefix("http://")):
        return url.removeprefix("mailto:")
    if not url.startswith(("https://", "http://", "mailto:")):
        return shown
    return "[{}](<{}>)".format(re.sub(r"([\[\]\\])", r"\\\1", shown), url)


def shown_of(mark: str) -> str:
    """Return what a reader sees of a mark within code."""
    what, _, shown = mark.partition("|")
    return shown or what


def unescape(text: str) -> str:
    """Replace Slack's three escapes."""
    for escape, sign in ESCAPES:
        text = text.replace(escape, sign)
    return text
