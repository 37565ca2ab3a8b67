"""Logs of IRC clients: irssi, WeeChat, ZNC, HexChat, mIRC, Textual, Konversation, eggdrop, EnergyMech and kin.

Most lines have a time without a date. The day is in the line, in a line before it, or in the name of the file.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import IO

from chat.transfer.chat_logs import Progress, Repeats, hour_of, ignore, lines_of
from chat.transfer.foreign import ForeignMessages, ForeignUsers, guarded, keep_hashes
from chat.transfer.records import ConversationRecord, Item, SkippedItem
from chat.transfer.text import title

SHARE = 0.5  # of the first lines, by which a log is recognized
STAMP = (
    r"(?:\[(?P<long>[^\[\]\d]{0,30}\d{1,2}[^\[\]]{1,20}\d{4})\] )?"
    r"\[?(?:(?P<iso>\d{4}[-/.]\d\d[-/.]\d\d)[T ]|(?P<short>[A-Z][a-z]{2} [ \d]\d|\d\d [A-Z][a-z]{2}) )?"
    r"(?P<clock>\d\d?:\d\d(?::\d\d)?)(?:\.\d{1,6})? ?(?P<half>[AaPp][Mm])?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?(?: [A-Z]{2,5})?\]?"
)
NICK = r"[^\s<>]{1,64}"
SENDER = r"[^\s<>().!@:]{1,64}?"  # of a notice to the channel: no server, and no user with an address
SAID = re.compile(
    STAMP
    + rf"\s{{1,4}}(?:<[ @+%&~!]?(?P<nick>{NICK})>|-(?!\S{{0,64}}Serv-)(?P<told>{SENDER})(?::[#&][^\s-]{{1,60}})?-(?=\s)"
    r"|(?:\*|•|Action:)\s{1,2}(?!\*)(?P<actor>[^\s*]{1,64})(?=\s))\s?(?P<text>.*)"
)
EVENT = re.compile(
    r"=== \S|"
    + STAMP
    + r"\s{1,4}(?:-!-|\*\*\*|\*\t|--?>|<--?|--|===|\* |\S{1,64} (?:\([^)\s]{1,200}@|is now known as |"
    r"sets mode |changed the topic |joined the channel|left (?:the channel|IRC)|kicked \S{1,64} from ))"
)
NOTICE = re.compile(STAMP + r"\s{1,4}-(?!!-)[^\s-]{1,64}-\s?(.*)")
TABBED = re.compile(STAMP + r"\t(?P<nick>[^\t]{0,64})\t(?P<text>.*)")
DAY = re.compile(
    r"(?:--- (?:Log opened|Day changed|Log closed)|\*\*\*\* (?:BEGIN|ENDING) LOGGING AT|Session (?:Start|Time|Close):)"
    r"\s{1,2}(?:[^\W\d]{2,4}[.,]? )?([^\W\d]{3,5})\.?\s{1,2}(\d{1,2})(?: (\d\d:\d\d:\d\d))? (\d{4})"
)
IDENT = re.compile(r"Session Ident: ([#&]\S{1,60})")
CHANNEL = re.compile(r"([#&][^\s/#]{1,60}?)(?:[._ -]{0,3}\(?\d{4}-?\d\d-?\d\d\)?)?(?:\.(?:log|txt|weechatlog)){0,2}$")
DATED = re.compile(r"(\d{4})[-.]?(\d\d)[-.]?(\d\d)")
DATED_FOLDERS = re.compile(r"(?<!\d)(\d{4})[-./](\d\d)[-./](\d\d)(?!\d)[^/]{0,200}(?:/[^/]{0,255})?$")
DATE_AROUND = re.compile(r"[._ -]{0,3}\(?\d{4}[-.]?\d\d[-.]?\d\d\)?[._ -]{0,3}|[._ -]{0,3}\d\d[A-Z][a-z]{2}\d{4}$")
COLORS = re.compile("\x03\\d{0,2}(?:,\\d{1,2})?|\x04[0-9A-Fa-f]{0,6}|[\x02\x0f\x11\x16\x1d-\x1f]")
ACTED = re.compile(
    r"\S{1,64} (?:\([^)\s]*@|has (?:joined|left|quit|changed|set|kicked)|is now known|sets |gives |removes |"
    r"joined the channel|left (?:the channel|IRC)|"
    r"was kicked by |changes topic )|"
    "Now talking|Topic for|Topic is |Set by |(?:Joins|Parts|Quits): |You |Disconnected|Looking up|Connect|Rejoined |"
    "Retrieving |Attempting "
)
LETTER = re.compile(r"[^\W\d_]")
STATUS = "@+%&~!"
MARKS = {"-->", "<--", "--", "=!="}  # WeeChat writes these instead of a nick

# The beginnings of the names of months, as the clients write them in the language of the system.
NAMES = """jan ene gen|feb fev fév|mar mär mrz mrt maa|apr abr avr|may mai mag mei maj|jun giu juin|jul lug juil
aug ago aoû|sep set|oct okt ott out|nov|dec dez déc dic"""
MONTHS = {word: number for number, words in enumerate(NAMES.replace("\n", "|").split("|"), 1) for word in words.split()}


def is_irc(lines: Collection[str]) -> bool:
    """Return whether most lines are those of an IRC log."""
    written = [line for line in map(plain, lines) if line.strip()]
    patterns = SAID, EVENT, NOTICE, TABBED, DAY
    found = sum(any(one.match(line) for one in patterns) for line in written)
    return len(written) > 0 and found > SHARE * len(written)


def plain(line: str) -> str:
    """Return a line without the codes of colors and styles."""
    return COLORS.sub("", line)


def channel_of(path: str, folder: str = "") -> str:
    """Return the name of the channel that a log belongs to. `folder`: that of the file, outside of the archive."""
    *parents, name = [folder.rpartition("/")[2], *path.split("/")]
    parents.reverse()
    for part in (name, *parents):
        if found := CHANNEL.search(part):
            return found[1]
    stem = re.sub(r"\.log$", "", PurePosixPath(name).stem)
    named = (DATE_AROUND.sub("", one) for one in (stem, *parents))
    return next((name for name in named if LETTER.search(name)), stem)


def day_of(path: str, folder: str = "") -> date | None:
    """Return the day in the name of a log or of the folders around it, such as `2024/05/01/#garden.txt`."""
    name = PurePosixPath(path).name
    for found in (*DATED.finditer(name), *DATED_FOLDERS.finditer(f"{folder}/{path}")):
        with suppress(ValueError):
            return date(*map(int, found.groups()))
    return None


def ident_of(open_file: Callable[[], IO[bytes]]) -> str:
    """Return the channel that the first lines of a log of mIRC name."""
    found = (IDENT.match(line) for _, line in islice(lines_of(open_file, ignore), 20))
    return next((one[1] for one in found if one), "")


def month_of(word: str) -> int:
    """Return the month that a word begins like. Raise `KeyError`."""
    short = word.casefold()
    return MONTHS.get(short[:4]) or MONTHS[short[:3]]


class IrcLogs:
    """Log files of IRC channels, as items. The path of a file tells the channel, and perhaps the day.

    `folder`: the path of the folder around all files, which the paths do not have.
    """

    def __init__(
        self, files: dict[str, Callable[[], IO[bytes]]], zone: tzinfo, private: bool, folder: str = ""
    ) -> None:
        self._files, self._zone, self._private, self._folder = files, zone, private, folder
        self._users, self._channels = ForeignUsers(), dict[str, ForeignMessages]()
        self._repeats = Repeats("irc-")
        self._day: date | None = None
        self._last = time.min

    def read(self, progress: Progress) -> Iterator[Item]:
        """Yield each channel, its messages, and its members at the end."""
        for path, open_file in sorted(self._files.items()):
            name = ident_of(open_file) or channel_of(path, self._folder)
            self._day, self._last = day_of(path, self._folder), time.min
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
        line = plain(line)
        if day := DAY.match(line):
            self._day, self._last = date(int(day[4]), month_of(day[1]), int(day[2])), time.min
            return
        if (said := SAID.match(line)) is not None:
            acts = said["actor"] is not None
            nick, text = said["actor"] or said["nick"] or said["told"], said["text"]
        elif (said := TABBED.match(line)) is not None:
            acts = said["nick"].strip() in ("*", "")
            nick, text = said["nick"].strip().lstrip(STATUS), said["text"]
            nick, text = text.partition(" ")[::2] if acts else (nick, text)
        if said is None or nick in MARKS or (acts and ACTED.match(f"{nick} {text}")):
            yield SkippedItem(f"{kind_of(line, said is not None)} of IRC")
            return
        at, nick = self._time(said), nick.rstrip(":") if acts else nick
        author = self._users.add(nick.lower(), nick, nick)
        text = f"_{text}_" if acts and text.strip() else keep_hashes(text)
        yield from channel.write(self._repeats.name(at, author, text), author, at, text)

    def _time(self, found: re.Match[str]) -> datetime:
        """Return the time of a line, whose day may only be known from earlier lines or from the file's name."""
        clock = time.fromisoformat(found["clock"].zfill(5 if found["clock"].count(":") == 1 else 8))
        clock = clock.replace(hour=hour_of(clock.hour, found["half"] or ""))
        if found["long"]:
            self._day = day_in_words(found["long"])
        elif found["iso"]:
            self._day = date(*map(int, re.split("[-/.]", found["iso"])))
        elif found["short"]:
            before = self._day or datetime.now(UTC).date()
            month, number = sorted(found["short"].split(), key=str.isdigit)
            day = date(before.year, month_of(month), int(number))
            self._day = day if before - day < timedelta(days=180) else day.replace(year=before.year + 1)
        elif self._day is None:
            raise ValueError("neither the line nor the name of the file tells its day")
        elif self._last.hour - clock.hour > 11:
            self._day += timedelta(days=1)
        self._last = clock
        zone = datetime.fromisoformat(f"2000-01-01T00:00{found['zone']}").tzinfo if found["zone"] else self._zone
        return datetime.combine(self._day, clock, zone)


def kind_of(line: str, known: bool) -> str:
    """Return what a line is that is no message. `known`: it was read as an event."""
    if NOTICE.match(line):
        return "notices"
    return "joins, quits and other events" if known or EVENT.match(line) else "lines that are no messages"


def day_in_words(text: str) -> date:
    """Return the day in a text such as `Monday, January 1, 2024`. Raise `KeyError` or `ValueError`."""
    day, year = re.findall(r"\d{1,4}", text)[-2:]
    months = [
        word for word in re.findall(r"[^\W\d]{3,}", text) if {word.casefold()[:3], word.casefold()[:4]} & MONTHS.keys()
    ]
    return date(int(year), month_of(months[-1]), int(day))
