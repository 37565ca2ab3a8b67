"""Chats as text: WhatsApp's `_chat.txt`, and the logs of IRC clients. Lines have no ids, and often no dates or zones.

A message is identified by its time, author and text, so that a later export of the same chat adds only what is new.
"""

import calendar
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from chat.transfer.foreign import (
    MISSING_FILE,
    ForeignMessages,
    ForeignUsers,
    file_record,
    from_single_marks,
    guarded,
    keep_hashes,
)
from chat.transfer.records import AttachmentRecord, ConversationRecord, Item, SkippedItem
from chat.transfer.text import digest, title

TEXTS = {".txt", ".log", ".weechatlog", ""}
MAX_LINE = 1024 * 1024
MAX_LINES = 10_000  # of one message
SHARE = 0.5  # of the first lines, by which a log is recognized
Progress = Callable[[int], None]


def lines_of(open_file: Callable[[], IO[bytes]], progress: Progress) -> Iterator[tuple[int, str]]:
    """Yield `(number, text)` of each line, without its end. A line that is too long is cut into several."""
    with closing(open_file()) as file:
        number = 0
        while line := file.readline(MAX_LINE):
            progress(len(line))
            number += 1
            yield number, line.decode("utf-8", "replace").rstrip("\r\n")


def ignore(_: int) -> None:
    """Report no progress: the file is read again."""


class Repeats:
    """Client ids of messages that have none: made of time, author, text, and how often these were the same before."""

    def __init__(self, prefix: str) -> None:
        self._prefix, self._at, self._seen = prefix, datetime.min.replace(tzinfo=UTC), Counter[str]()

    def name(self, at: datetime, author: str, text: str) -> str:
        """Return the id. Equal messages are told apart within the same minute."""
        if at != self._at:
            self._at, self._seen = at, Counter()
        mark = digest(author, text)
        self._seen[mark] += 1
        again = self._seen[mark]
        return f"{self._prefix}{int(at.timestamp())}-{mark}" + (f"-{again}" if again > 1 else "")


# WhatsApp. Each phone writes dates in the way of its language: their order is found from all lines.

MARKS = "\u200e\u200f\u202a-\u202e\ufeff"
HEAD = re.compile(
    rf"[{MARKS}]*\[?(\d{{1,4}})([./-])\s?(\d{{1,2}})\2\s?(\d{{1,4}})\.?[,،]?([^\d\]:.]{{0,12}}?)"
    rf"(\d{{1,2}})[:.](\d\d)(?:[:.](\d\d))?([^\d\]:-]{{0,12}})(?:\]|[-–]|:)[ \u202f\xa0]?"
)
AUTHOR = re.compile(rf"[{MARKS}]*(?:~[\s\u202f]?)?([^:\n]{{1,80}}?):(?:\s|$)")
LETTERS = re.compile(r"[^\W\d_]+")
AFTERNOON = {"pm", "下午", "午後", "오후", "م", "μμ", "du", "晚上", "中午", "nm", "ch"}
MORNING = {"am", "上午", "午前", "오전", "ص", "πμ", "de", "凌晨", "早上", "清晨", "fm", "sa"}
ATTACHED = re.compile(
    rf"[{MARKS}]*(?:<[^<>:]{{2,30}}: ([^<>/\n]{{1,200}})>|([^<>/\n(]{{0,200}}\.\w{{2,5}}) \([^()\n]{{3,40}}\)) ?"
)
OMITTED = re.compile(rf"[{MARKS}]*<[^<>\n]{{3,60}}>|\u200e[^\n]{{3,60}}")
MENTION = re.compile("@\u2068([^\u2068\u2069\n]{1,80})\u2069")
QUOTES = frozenset("\"“”«»„'‘’")
ORDERS = {"day first": (2, 1, 0), "month first": (2, 0, 1), "year first": (0, 1, 2), "year and day first": (0, 2, 1)}
TITLE = re.compile(
    r"(?:.{0,40}?WhatsApp.{0,20}?(?: - | with | mit | avec | con | com | med | met )|_chat)?(.*?)(?:\.txt|\.zip)?"
)
BUDDHIST = 2400


@dataclass(slots=True)
class DateOrder:
    """An order in which the dates of a file may be written. `back`: how often time runs backwards in it."""

    order: tuple[int, int, int]
    valid: bool = True
    back: int = 0
    days: set[date] = field(default_factory=set)
    last: date = date.min

    def add(self, numbers: tuple[str, str, str], latest: date) -> None:
        """Read one more date."""
        day = self.read(numbers)
        if day is None or day > latest:
            self.valid = False
        elif self.valid:
            self.back += day < self.last
            self.last = day
            if len(self.days) < MAX_LINES:
                self.days.add(day)

    def read(self, numbers: tuple[str, str, str]) -> date | None:
        """Return the date, or None if it is none in this order."""
        year, month, day = (int(numbers[n]) for n in self.order)
        if any(len(numbers[n]) > 2 for n in self.order[1:]):
            return None
        year = year + 2000 if year < 100 else year - 543 if year > BUDDHIST else year
        try:
            return date(year, month, day) if year >= 1990 else None
        except ValueError:
            return None

    @property
    def span(self) -> int:
        """Return the number of days between the first and the last date, if there are enough to tell."""
        return (max(self.days) - min(self.days)).days if len(self.days) > 2 else 0


@dataclass(slots=True)
class WhatsAppFacts:
    """What all lines together tell: the order of dates, and how often each author wrote."""

    order: DateOrder
    ambiguous: bool
    authors: Counter[str]


def study_whatsapp(open_file: Callable[[], IO[bytes]]) -> WhatsAppFacts:
    """Read the file once, to find the order of its dates and its authors."""
    day_first, month_first, *others = orders = [DateOrder(order) for order in ORDERS.values()]
    authors, latest, american = Counter[str](), datetime.now(UTC).date() + timedelta(days=2), True
    for _, line in lines_of(open_file, ignore):
        if head := HEAD.match(line):
            american = american and head[2] == "/" and len(head[4]) < 3 and "0" not in (head[1][0], head[3][0])
            for order in orders:
                order.add((head[1], head[3], head[4]), latest)
            if author := AUTHOR.match(line, head.end()):
                authors[author[1].strip()] += 1
    likely = [month_first, day_first, *others] if american else orders
    best = min([one for one in likely if one.valid] or likely, key=lambda one: (one.back, one.span))
    same = day_first.valid and month_first.valid and day_first.days != month_first.days
    evident = (day_first.back, day_first.span) != (month_first.back, month_first.span)
    return WhatsAppFacts(best, same and not evident and best in likely[:2], authors)


class WhatsAppChat:
    """One exported chat, as items. `name`: of the file; `shown`: of the file or archive that is named after the chat.

    `media`: the names of files beside it; `zone`: that of the phone.
    """

    def __init__(
        self, open_file: Callable[[], IO[bytes]], name: str, shown: str, media: Collection[str], zone: tzinfo
    ) -> None:
        self._open, self._name, self._media, self._zone = open_file, name, media, zone
        self._users, self._repeats = ForeignUsers(), Repeats("wa-")
        self._title = chat_title(shown)
        self._messages = ForeignMessages(f"chat:{self._title}"[:200], "")

    def read(self, progress: Progress) -> Iterator[Item]:
        """Yield the chat, its messages and its members."""
        facts = study_whatsapp(self._open)
        authors = [name for name in facts.authors if self._is_author(name, facts)]
        for author in authors:
            self._users.add(author, author, author)
        yield from self._users.take_new()
        names = [name for author in authors if (name := self._users.get(author))]
        direct = len(names) == 2 and (self._title in authors or not self._title)
        yield ConversationRecord(
            id=self._messages.key,
            kind="direct" if direct else "channel",
            name="" if direct else title(self._title, "WhatsApp"),
            private=True,
            people=names if direct else [],
        )
        if facts.ambiguous:
            first = "day" if facts.order.order == ORDERS["day first"] else "month"
            yield SkippedItem(f"files whose dates can be read in two ways, read with the {first} first", self._name)
        for number, head, text in self._split(progress):
            yield from self._read_one(f"{self._name}:{number}", head, text, facts)
        yield from self._messages.member_records(names)

    def _is_author(self, name: str, facts: WhatsAppFacts) -> bool:
        """Return whether it is an author, and not the beginning of an event such as: changed the subject to "A: B"."""
        return not (facts.authors[name] < 3 and QUOTES & set(name)) and name != self._title_of_group(facts)

    def _title_of_group(self, facts: WhatsAppFacts) -> str:
        """Return the chat's name if it is a group, under which an iPhone writes events."""
        return self._title if len(facts.authors) > 2 else ""

    def _split(self, progress: Progress) -> Iterator[tuple[int, re.Match[str], str]]:
        """Yield the line, head and text of each message. Lines without a head continue the one before them."""
        found: tuple[int, re.Match[str], list[str]] | None = None
        for number, line in lines_of(self._open, progress):
            if head := HEAD.match(line):
                if found:
                    yield found[0], found[1], "\n".join(found[2])
                found = number, head, [line[head.end() :]]
            elif found and len(found[2]) < MAX_LINES:
                found[2].append(line)
        if found:
            yield found[0], found[1], "\n".join(found[2])

    def _read_one(self, place: str, head: re.Match[str], text: str, facts: WhatsAppFacts) -> Iterator[Item]:
        yield from guarded(lambda: self._message(place, head, text, facts), text, (), place, self._told)

    def _told(self, text: str) -> str:
        """Return the words of a message, without its author and the mark of a file.

        On an iPhone, the author of an event is the group.
        """
        found = AUTHOR.match(text)
        name = found[1].strip() if found else ""
        known = name == self._title or self._users.get(name) is not None
        return self._shown(self._files(text[found.end() :])[1] if found and known else text)

    def _message(self, place: str, head: re.Match[str], text: str, facts: WhatsAppFacts) -> Iterator[Item]:
        day = facts.order.read((head[1], head[3], head[4]))
        if day is None:
            raise ValueError(f"{head[0].strip()} is not a date")
        hour = hour_of(int(head[6]), head[5] + " " + head[9])
        at = datetime.combine(day, time(hour, int(head[7]), int(head[8] or 0)), self._zone)
        found = AUTHOR.match(text)
        author = self._users.get(found[1].strip()) if found else None
        if found is None or author is None:
            event = self._told(text)
            author = self._users.add("whatsapp", "whatsapp", "WhatsApp")
            yield from self._users.take_new()
            yield from self._messages.write(self._repeats.name(at, author, event), author, at, f"_{event}_")
            return
        written = text[found.end() :]
        files, rest = self._files(written)
        if not files[0].path if files else OMITTED.fullmatch(written):
            yield SkippedItem(MISSING_FILE, place)
        mentioned = map(self._called, MENTION.findall(rest))
        mentions = [one for one in dict.fromkeys(mentioned) if one]
        name = self._repeats.name(at, author, written)
        yield from self._messages.write(name, author, at, self._shown(rest), files=files, mentions=mentions)

    def _files(self, text: str) -> tuple[list[AttachmentRecord], str]:
        """Return the file that a message names, and the rest of its text."""
        found = ATTACHED.match(text)
        if found is None:
            return [], text
        name = (found[1] or found[2]).strip()
        path = next((one for one in self._media if PurePosixPath(one).name == name), None)
        return [file_record(name, path)], text[found.end() :].lstrip("\n")

    def _called(self, name: str) -> str | None:
        return self._users.get(name.strip("~ \u202f"))

    def _shown(self, text: str) -> str:
        """Return the text as Markdown, without marks of direction."""
        text = MENTION.sub(lambda one: f"@{self._called(one[1]) or one[1]}", text)
        text = text.translate(dict.fromkeys(map(ord, "\u200e\ufeff\u2068\u2069"))).strip()
        return keep_hashes(from_single_marks(text))


def chat_title(name: str) -> str:
    """Return the name of the chat, as the name of its file tells it."""
    found = TITLE.fullmatch(PurePosixPath(name).name)
    return found[1].strip() if found else ""


def hour_of(hour: int, words: str) -> int:
    """Return the hour of 24, from the words around it such as `p.m.` or `오후`."""
    found = {"".join(LETTERS.findall(words)).casefold()} | set(LETTERS.findall(words.casefold()))
    if found & AFTERNOON:
        return hour % 12 + 12
    return hour % 12 if found & MORNING else hour


# Logs of IRC clients: irssi, WeeChat, ZNC, HexChat, EnergyMech, mIRC and kin. Most lines have a time without a date.

STAMP = (
    r"\[?(?:(\d{4}-\d\d-\d\d)[T ]|([A-Z][a-z]{2} [ \d]\d|\d\d [A-Z][a-z]{2}) )?"
    r"(\d\d?:\d\d(?::\d\d)?)(?:\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?\]?"
)
SAID = re.compile(STAMP + r"\s{1,4}(?:<[ @+%&~!]?([^\s<>]{1,64})>|\*\s{1,2}(?!\*)([^\s*]{1,64})(?=\s))\s?(.*)")
EVENT = re.compile(STAMP + r"\s{1,4}(?:-!-|\*\*\*|\*\t|--?>|<--?|--|-[^\s-]{1,64}-|===)\s?(.*)")
TABBED = re.compile(STAMP + r"\t([^\t]{0,64})\t(.*)")
DAY = re.compile(
    r"(?:--- (?:Log opened|Day changed|Log closed)|\*\*\*\* (?:BEGIN|ENDING) LOGGING AT|Session (?:Start|Time|Close):)"
    r"\s{1,2}(?:\w{3} )?(\w{3})\s{1,2}(\d{1,2})(?: (\d\d:\d\d:\d\d))? (\d{4})"
)
CHANNEL = re.compile(r"([#&][^\s/#]{1,60}?)(?:[._-]?\d{4}-?\d\d-?\d\d)?(?:\.(?:log|txt|weechatlog))?$")
DATED = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
COLORS = re.compile("\x03\\d{0,2}(?:,\\d{1,2})?|\x04[0-9A-Fa-f]{0,6}|[\x02\x0f\x11\x16\x1d-\x1f]")
MONTHS = {name: n for n, name in enumerate(calendar.month_abbr) if n}
HEXCHAT_EVENT = re.compile(
    r"\S{1,64} (?:\([^)\s]*@|has (?:joined|left|quit|changed|set|kicked)|is now known|sets |gives |removes )|"
    "Now talking|Topic for|You |Disconnected|Looking up|Connect"
)
STATUS = "@+%&~!"


def is_irc(lines: Collection[str]) -> bool:
    """Return whether most lines are those of an IRC log."""
    written = [line for line in lines if line.strip()]
    found = sum(
        bool(SAID.match(line) or EVENT.match(line) or TABBED.match(line) or DAY.match(line)) for line in written
    )
    return len(written) > 0 and found > SHARE * len(written)


def is_whatsapp(lines: Collection[str]) -> bool:
    """Return whether the first line begins a message of WhatsApp, and many others do."""
    heads = [HEAD.match(line) is not None for line in lines if line.strip()]
    return bool(heads) and heads[0] and sum(heads) * 5 > len(heads)


def channel_of(path: str) -> str:
    """Return the name of the channel that a log belongs to."""
    found = CHANNEL.search(path) or CHANNEL.search(str(PurePosixPath(path).parent))
    return found[1] if found else PurePosixPath(path).stem


class IrcLogs:
    """Log files of IRC channels, as items. The path of a file tells the channel, and perhaps the day."""

    def __init__(self, files: dict[str, Callable[[], IO[bytes]]], zone: tzinfo, private: bool) -> None:
        self._files, self._zone, self._private = files, zone, private
        self._users, self._channels = ForeignUsers(), dict[str, ForeignMessages]()
        self._repeats = Repeats("irc-")
        self._day: date | None = None
        self._last = time.min

    def read(self, progress: Progress) -> Iterator[Item]:
        """Yield each channel, its messages, and its members at the end."""
        for path, open_file in sorted(self._files.items()):
            name = channel_of(path)
            dated = DATED.search(PurePosixPath(path).name)
            self._day, self._last = date(*map(int, dated.groups())) if dated else None, time.min
            channel = self._channels.get(name.lower())
            if channel is None:
                channel = self._channels[name.lower()] = ForeignMessages(name.lower()[:200], "")
                yield ConversationRecord(
                    id=channel.key, kind="channel", name=title(name.lstrip("#&"), name), private=self._private
                )
            for number, line in lines_of(open_file, progress):
                make = partial(self._line, channel, line) if line.strip() else list[Item]
                items = guarded(make, {}, (), f"{path}:{number}")
                yield from self._users.take_new()
                yield from items
        for channel in self._channels.values():
            yield from channel.member_records()

    def _line(self, channel: ForeignMessages, line: str) -> Iterator[Item]:
        """Yield the message of a line. Events such as joins have no place."""
        line = COLORS.sub("", line)
        if day := DAY.match(line):
            self._day, self._last = date(int(day[4]), MONTHS[day[1]], int(day[2])), time.min
            return
        if (said := SAID.match(line)) is not None:
            nick, text, acts = said[5] or said[6], said[7], said[6] is not None
        elif (said := TABBED.match(line)) is not None:
            acts = said[5].strip() in ("*", "")
            nick, text = said[6].partition(" ")[::2] if acts else (said[5].strip().lstrip(STATUS), said[6])
        if said is None or nick in ("-->", "<--", "--", "=!=") or (acts and HEXCHAT_EVENT.match(f"{nick} {text}")):
            known = EVENT.match(line) or said
            yield SkippedItem(f"{'joins, quits and other events' if known else 'lines that are no messages'} of IRC")
            return
        at = self._time(said)
        author = self._users.add(nick.lower(), nick, nick)
        text = f"_{text}_" if acts and text.strip() else keep_hashes(text)
        yield from channel.write(self._repeats.name(at, author, text), author, at, text)

    def _time(self, found: re.Match[str]) -> datetime:
        """Return the time of a line, whose day may only be known from earlier lines or from the file's name."""
        clock = time.fromisoformat(found[3].zfill(5 if found[3].count(":") == 1 else 8))
        if found[1]:
            self._day = date.fromisoformat(found[1])
        elif found[2]:
            before = self._day or datetime.now(UTC).date()
            month, number = sorted(found[2].split(), key=str.isdigit)
            day = date(before.year, MONTHS[month], int(number))
            self._day = day if before - day < timedelta(days=180) else day.replace(year=before.year + 1)
        elif self._day is None:
            raise ValueError("neither the line nor the name of the file tells its day")
        elif self._last.hour - clock.hour > 11:
            self._day += timedelta(days=1)
        self._last = clock
        zone = datetime.fromisoformat(f"2000-01-01T00:00{found[4]}").tzinfo if found[4] else self._zone
        return datetime.combine(self._day, clock, zone)
