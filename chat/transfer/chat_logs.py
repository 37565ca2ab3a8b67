"""Chats as text: what logs share, and WhatsApp's `_chat.txt`. Lines have no ids, and no zones.

A message is identified by its time, author and text, so that a later export of the same chat adds only what is new.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
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

MAX_LINE = 1024 * 1024
MAX_LINES = 10_000  # of one message
Progress = Callable[[int], None]


def lines_of(open_file: Callable[[], IO[bytes]], progress: Progress) -> Iterator[tuple[int, str]]:
    """Yield `(number, text)` of each line, without its end. A line that is too long is cut into several."""
    with closing(open_file()) as file:
        number = 0
        while line := file.readline(MAX_LINE):
            progress(len(line))
            number += 1
            yield number, decode(line).rstrip("\r\n")


def decode(line: bytes) -> str:
    """Return a line as text: in UTF-8, otherwise as programs wrote Western languages before it. One file may have both.

    A line that was cut may end within a character.
    """
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("utf-8" if len(line) == MAX_LINE else "cp1252", "replace")


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

MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
M = f"[{MARKS}]*"  # in languages that are written from the right, also between the numbers of a date
DATE = rf"(?P<a>\d{{1,4}}){M}(?P<sep>[./-])\s?{M}(?P<b>\d{{1,2}}){M}(?P=sep)\s?{M}(?P<c>\d{{1,4}})"
CLOCK = r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?"
END = r"(?:\]|[-–]|:(?!\d))[ \u202f\xa0]?"
HEADS = (
    re.compile(rf"{M}(?:\[{M})?{DATE}\.?[,،]?(?P<before>[^\d\]:]{{0,14}}?){CLOCK}(?P<after>[^\d\]:-]{{0,12}}){END}"),
    re.compile(
        rf"{M}(?:\[{M})?{CLOCK}(?P<before>[^\d\]:-]{{0,12}}?){DATE}(?P<after> ?){END}"
    ),  # Vietnamese, and a browser
)
AUTHOR = re.compile(rf"[{MARKS}]*(?:~[\s\u202f]?)?([^:\n]{{1,80}}?):(?:\s|$)")
LETTERS = re.compile(r"[^\W\d_]+")
BETWEEN = re.compile(r"""[\s.,،/'"״׳\u200e\u200f-]+""")
AFTERNOON, MORNING = (
    frozenset(words.split())
    for words in (
        "pm 下午 午後 오후 م μμ du 晚上 中午 nm ch 傍晚 em eh ip odp ös بظ אחהצ слоб пп ptg popiet pēcpusd epasdites"
        " tarde noche अपराह्न பிற்பகல் ಅಪರಾಹ್ನ",
        "am 上午 午前 오전 ص πμ de 凌晨 早上 清晨 fm sa fh ap dop öö قظ לפנהצ проб дп pg priešpiet priekšpusd"
        " eparadites mañana madrugada पूर्वाह्न முற்பகல் ಪೂರ್ವಾಹ್ನ",
    )
)
ATTACHED = re.compile(
    rf"[{MARKS}]*(?:<[^<>:]{{2,30}}: ([^<>/\n]{{1,200}})>|([^<>/\n(]{{0,200}}\.\w{{2,5}}) \([^()\n]{{3,40}}\)) ?"
)
OMITTED = re.compile(
    rf"(?:[{MARKS}]*<[^<>\n]{{3,60}}>|\u200e[^\n,،]{{2,59}}[^\n,.:،。]|[^\n•]{{1,150}} • \u200e[^\n]{{3,60}})(?:\n|$)"
)
EDITED = re.compile(r"(?<=\S) ?\u200e<[^<>:\n]{5,60}>\Z")
EDITED_WORDS = re.compile(
    r" ?<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje|Mensagem editada|"
    r"Ce message a été modifié|Questo messaggio è stato modificato|Dit bericht is bewerkt|Bu mesaj düzenlendi|"
    r"Сообщение изменено|Pesan ini diedit|Tätä viestiä muokattiin|Wiadomość została zmieniona)\.?>\Z"
)
DELETED = frozenset(
    """this message was deleted|you deleted this message|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht
se eliminó este mensaje|este mensaje fue eliminado|eliminaste este mensaje|mensagem apagada|essa mensagem foi apagada
esta mensagem foi apagada|você apagou esta mensagem|ce message a été supprimé|vous avez supprimé ce message
questo messaggio è stato eliminato|hai eliminato questo messaggio|dit bericht is verwijderd
je hebt dit bericht verwijderd|u hebt dit bericht verwijderd|bu mesaj silindi|bu mesajı sildiniz
ta wiadomość została usunięta|данное сообщение удалено|вы удалили данное сообщение
تم حذف هذه الرسالة|حذفت هذه الرسالة|הודעה זו נמחקה|מחקת הודעה זו|यह संदेश हटा दिया गया
pesan ini telah dihapus|pesan ini dihapus|anda menghapus pesan ini|このメッセージは削除されました|삭제된 메시지입니다
此消息已删除|您删除了这条消息|此訊息已刪除|您已刪除此訊息|det här meddelandet togs bort|tämä viesti poistettiin
denne besked blev slettet|denne meldingen ble slettet|tato zpráva byla odstraněna""".replace("\n", "|").split("|")
)
MENTION = re.compile("@\u2068([^\u2068\u2069\n]{1,80})\u2069")
QUOTES = frozenset("\"“”«»„'‘’")
ORDERS = {"day first": (2, 1, 0), "month first": (2, 0, 1), "year first": (0, 1, 2), "year and day first": (0, 2, 1)}
TITLE = re.compile(
    r"(?:.{0,40}?WhatsApp.{0,20}?(?: - | with | mit | avec | con | com | med | met )|_chat)?"
    r"(.*?)(?: ?\(\d{1,2}\))?(?:\.txt|\.zip)?"
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
    """Findings from the whole file: the order of dates, how often each author wrote, and the group's name.

    An iPhone writes notices as the group, before the first message.
    """

    order: DateOrder
    ambiguous: bool
    authors: Counter[str]
    group: str = ""


def head_of(line: str) -> re.Match[str] | None:
    """Return the date and time that a line begins with, if it begins a message."""
    return next((found for one in HEADS if (found := one.match(line))), None)


def study_whatsapp(open_file: Callable[[], IO[bytes]]) -> WhatsAppFacts:
    """Read the file once, to find the order of its dates and its authors.

    No language writes the month first between dots or dashes.
    """
    day_first, month_first, year_first, _ = orders = [DateOrder(order) for order in ORDERS.values()]
    authors, latest, american = Counter[str](), datetime.now(UTC).date() + timedelta(days=2), True
    dotted, said = True, Counter[str]()
    for _, line in lines_of(open_file, ignore):
        if head := head_of(line):
            dotted = dotted and head["sep"] != "/"
            american = (
                american and head["sep"] == "/" and len(head["c"]) < 3 and "0" not in (head["a"][0], head["b"][0])
            )
            for order in orders:
                order.add((head["a"], head["b"], head["c"]), latest)
            if author := AUTHOR.match(line, head.end()):
                authors[author[1].strip()] += 1
                said[author[1].strip()] += not line.startswith("\u200e", author.end())
    dotted = dotted and (day_first.valid or year_first.valid)
    likely = [day_first, year_first] if dotted else [month_first, *orders] if american else orders
    best = min([one for one in likely if one.valid] or likely, key=lambda one: (one.back, one.span))
    same = day_first.valid and month_first.valid and day_first.days != month_first.days and not dotted
    evident = (day_first.back, day_first.span) != (month_first.back, month_first.span)
    first = next(iter(authors), "")
    group = first if len(authors) > 2 and not said[first] else ""
    return WhatsAppFacts(best, same and not evident and best in (day_first, month_first), authors, group)


class WhatsAppChat:
    """One exported chat, as items. `name`: of the file; `shown`: of the file or archive that is named after the chat.

    `media`: the names of files beside it; `zone`: that of the phone.
    """

    def __init__(
        self, open_file: Callable[[], IO[bytes]], name: str, shown: str, media: Collection[str], zone: tzinfo
    ) -> None:
        self._open, self._name, self._media, self._zone = open_file, name, media, zone
        self._users, self._repeats = ForeignUsers(), Repeats("wa-")
        self._title, self._shown, self._begun = chat_title(shown), PurePosixPath(shown).name, False
        self._group = ""
        self._messages = ForeignMessages(f"chat:{self._title}"[:200], "")

    def read(self, progress: Progress) -> Iterator[Item]:
        """Yield the chat, its messages and its members."""
        facts = study_whatsapp(self._open)
        self._group = facts.group
        authors = [name for name in facts.authors if self._is_author(name, facts)]
        for author in authors:
            self._users.add(author, author, author)
        yield from self._users.take_new()
        names = [name for author in authors if (name := self._users.get(author))]
        direct = (
            len(names) == 2
            and not facts.group
            and (not self._title or self._title in authors or is_named_after(self._shown, authors))
        )
        yield ConversationRecord(
            id=self._messages.key,
            kind="direct" if direct else "channel",
            name="" if direct else title(self._title, facts.group, "WhatsApp"),
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
        return not (facts.authors[name] < 3 and QUOTES & set(name)) and name not in (
            self._title_of_group(facts),
            facts.group,
        )

    def _title_of_group(self, facts: WhatsAppFacts) -> str:
        """Return the chat's name if it is a group, under which an iPhone writes events."""
        return self._title if len(facts.authors) > 2 else ""

    def _split(self, progress: Progress) -> Iterator[tuple[int, re.Match[str], str]]:
        """Yield the line, head and text of each message. Lines without a head continue the one before them."""
        found: tuple[int, re.Match[str], list[str]] | None = None
        for number, line in lines_of(self._open, progress):
            if head := head_of(line):
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
        known = found and (name in (self._title, self._group) or self._users.get(name) is not None)
        if found is None or not known:
            return self._markdown(text)
        written = text[found.end() :]
        return "" if is_deleted(written) else self._markdown(self._files(without_edit(written))[1])

    def _message(self, place: str, head: re.Match[str], text: str, facts: WhatsAppFacts) -> Iterator[Item]:
        at = self._time(head, facts)
        found = AUTHOR.match(text)
        author = self._users.get(found[1].strip()) if found else None
        written = text[found.end() :] if found else text
        first, self._begun = not self._begun, True
        files, rest = self._files(without_edit(written))
        told = (first and is_notice(written)) or (found and written.startswith(f"\u200e{found[1].strip()} "))
        if author is None or (told and not files):
            event = self._told(text)
            author = self._users.add("whatsapp", "whatsapp", "WhatsApp")
            yield from self._users.take_new()
            yield from self._messages.write(self._repeats.name(at, author, event), author, at, f"_{event}_")
            return
        name = self._repeats.name(at, author, written)
        if is_deleted(written):
            yield from self._messages.write(name, author, at, "", deleted_at=at)
            return
        if not files[0].path if files else OMITTED.match(written):
            yield SkippedItem(MISSING_FILE, place)
        mentioned = map(self._called, MENTION.findall(rest))
        mentions = [one for one in dict.fromkeys(mentioned) if one]
        edited_at = at if without_edit(written) != written else None
        yield from self._messages.write(
            name, author, at, self._markdown(rest), files=files, mentions=mentions, edited_at=edited_at
        )

    def _time(self, head: re.Match[str], facts: WhatsAppFacts) -> datetime:
        """Return the time of a message. Raise `ValueError`."""
        day = facts.order.read((head["a"], head["b"], head["c"]))
        if day is None:
            raise ValueError(f"{head[0].strip()} is not a date")
        hour = hour_of(int(head["hour"]), head["before"], head["after"])
        return datetime.combine(day, time(hour, int(head["minute"]), int(head["second"] or 0)), self._zone)

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

    def _markdown(self, text: str) -> str:
        """Return the text as Markdown, without marks of direction."""
        text = MENTION.sub(lambda one: f"@{self._called(one[1]) or one[1]}", text)
        text = text.translate(dict.fromkeys(map(ord, "\u200e\ufeff\u2068\u2069"))).strip()
        return keep_hashes(from_single_marks(text))


def chat_title(name: str) -> str:
    """Return the name of the chat, as the name of its file tells it."""
    found = TITLE.fullmatch(PurePosixPath(name).name)
    return found[1].strip() if found else ""


def is_named_after(file: str, authors: Collection[str]) -> bool:
    """Return whether a file is named after one of the authors, in any language: `Ayşe ile WhatsApp Sohbeti.txt`."""
    return "whatsapp" in file.casefold() and any(author in file for author in authors)


def is_deleted(text: str) -> bool:
    """Return whether a text stands for a message that was deleted."""
    return text.strip(" .\u200e\u200f\u202f\n।。").casefold() in DELETED


def is_notice(text: str) -> bool:
    """Return whether an iPhone wrote a text, such as that about encryption, which it puts before the first message."""
    return text.startswith("\u200e") and OMITTED.match(text) is None and not is_deleted(text)


def without_edit(text: str) -> str:
    """Return a text without the note that it was edited."""
    return EDITED_WORDS.sub("", EDITED.sub("", text))


def hour_of(hour: int, *words: str) -> int:
    """Return the hour of 24, from the words around it such as `p.m.` or `오후`."""
    found = {BETWEEN.sub("", one.casefold()) for one in words}
    for one in words:
        found |= {"".join(LETTERS.findall(one)).casefold(), *LETTERS.findall(one.casefold())}
    if found & AFTERNOON:
        return hour % 12 + 12
    return hour % 12 if found & MORNING else hour


def is_whatsapp(lines: Collection[str]) -> bool:
    """Return whether the first line begins a message of WhatsApp, and many others do."""
    heads = [head_of(line) is not None for line in lines if line.strip()]
    return bool(heads) and heads[0] and sum(heads) * 5 > len(heads)
