"""Find the names that a message mentions with `@`, and its links. Pure; time grows linearly with the text.

`@name` counts in any case, outside code, quotes and addresses, and where no letter or digit precedes the `@`, so that
ben@example.org mentions no one. Scripts without spaces between words may stand on either side, and so may the signs
of Markdown's emphasis: `_@ben_`. After a backslash it does not count.

Code follows Markdown: fenced blocks first, then code spans between two equal runs of backticks within a paragraph.
The web app shows names by the same rules; both pass `tests/cases/mentions.json`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)")
QUOTE = re.compile(r" {0,3}>")
PARAGRAPHS = re.compile(r"\n[ \t]*\n")
RUN = re.compile(r"(?<!\\)(\\*)(`+)")  # without the look-behind each backslash of a run starts a search: quadratic
ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")


def strip_code(text: str) -> str:
    """Return `text` without code, quotes, addresses and escaped signs; what is beside them stays separated."""
    return ESCAPED.sub(" ", ADDRESS.sub(" ", outside_code(text)))


def outside_code(text: str) -> str:
    """Return `text` without code and quotes."""
    if "`" in text or "~~~" in text or ">" in text:
        text = "\n\n".join(strip_spans(part) for part in PARAGRAPHS.split(strip_blocks(text)))
    return text


def strip_blocks(text: str) -> str:
    """Return `text` without fenced blocks and lines of quotes; an unclosed block reaches to the end."""
    return "\n".join(lines_outside(text))


def lines_outside(text: str) -> Iterator[str]:
    """Yield the lines outside fences and quotes, and an empty line, which ends a paragraph, for each of these."""
    fence = ""
    for line in text.split("\n"):
        if fence:
            if closes(line, fence):
                fence = ""
        elif opened := FENCE.fullmatch(line):
            fence = opened[1] or opened[2]
            yield ""
        elif QUOTE.match(line):
            yield ""
        else:
            yield line


def closes(line: str, fence: str) -> bool:
    """Return whether `line` closes the fence: only its character, at least as often as in `fence`."""
    mark = line.strip()
    return len(mark) >= len(fence) and not mark.strip(fence[0]) and not line.startswith("    ")


def strip_spans(text: str) -> str:
    """Return `text` without code spans; a run of backticks without a later run of its length is plain text."""
    runs = [(run.start(2), len(run[2]), len(run[1]) % 2 == 1) for run in RUN.finditer(text)]
    later: dict[int, list[int]] = defaultdict(list)
    for start, length, _ in reversed(runs):
        later[length].append(start)
    kept, end = [], 0
    for start, length, escaped in runs:
        while later[length] and later[length][-1] <= start:
            later[length].pop()
        if start >= end and not escaped and later[length]:
            kept.append(text[end:start])
            end = later[length][-1] + length
    return " ".join([*kept, text[end:]])


EVERYONE = frozenset({"channel", "here"})
SPACED = "\u00aa\u00b5\u00ba\u00c0-\u0dff"  # letters of the scripts that put spaces between words
WORD = f"A-Za-z0-9{SPACED}"
CALL = re.compile(rf"(?<![{WORD}_@+%-])_{{0,3}}@([A-Za-z0-9_.-]{{2,}}+)(?![@{SPACED}])")
NAME_MOST = 32
CALLS_MOST = 50  # of a message, each with two readings: at most 100 names are looked up


@dataclass(frozen=True, slots=True)
class ParsedMentions:
    """The mentions of a message: for each, the names that it may mean, in lower case, the likeliest first."""

    calls: tuple[tuple[str, ...], ...] = ()
    channel: bool = False
    here: bool = False

    @property
    def everyone(self) -> frozenset[str]:
        """Return which of the names for all members are called."""
        return frozenset(["channel"] * self.channel + ["here"] * self.here)


NO_MENTIONS = ParsedMentions()


def parse_mentions(text: str) -> ParsedMentions:
    """Return the mentions in `text`: `@channel`, `@here`, and the first 50 other names, each once."""
    if "@" not in text:
        return NO_MENTIONS
    calls = dict.fromkeys(call[1].lower() for call in CALL.finditer(strip_code(text)))
    everyone: set[str] = set()
    names_meant: list[tuple[str, ...]] = []
    for names in map(readings, calls):
        if found := EVERYONE.intersection(names):
            everyone |= found
        elif names and len(names_meant) < CALLS_MOST:
            names_meant.append(names)
    return ParsedMentions(tuple(names_meant), "channel" in everyone, "here" in everyone)


def readings(call: str) -> tuple[str, ...]:
    """Return the names that `call` may mean, the likeliest first.

    Dots, dashes and underscores at the end belong to the sentence or to the emphasis, because new names cannot end in
    them. An old name that does is meant only by exactly that name, and only if there is no user without the ending.
    """
    return tuple(name for name in dict.fromkeys((call.rstrip("._-"), call)) if 2 <= len(name) <= NAME_MOST)


LINKS_MOST, LINK_MOST = 3, 2_000  # links of a message that have previews; characters of one
LINK = re.compile(r"\bhttps?://[^\s<>\"`\\|]++", re.IGNORECASE)
AFTER_LINK = ".,;:!?'*_~]"  # at the end of an address, these belong to the sentence or to Markdown


def find_links(text: str) -> list[str]:
    """Return the first three web addresses in `text`, outside code and quotes, each once."""
    if "://" not in text:
        return []
    links = dict.fromkeys(trim_link(one[0]) for one in LINK.finditer(outside_code(text)))
    return [link for link in links if len(link) <= LINK_MOST][:LINKS_MOST]


def trim_link(link: str) -> str:
    """Return the address without the signs behind it. A closing parenthesis belongs to it if it is opened in it."""
    end, surplus = len(link), link.count(")") - link.count("(")
    while end and (link[end - 1] in AFTER_LINK or (link[end - 1] == ")" and surplus > 0)):
        surplus -= link[end - 1] == ")"
        end -= 1
    return link[:end]
