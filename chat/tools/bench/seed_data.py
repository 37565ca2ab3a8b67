"""Fills conversations with any number of realistic messages, written directly into the tables.

These messages have no log entries. The head and the floor of the log move past them, so every earlier cursor gets a
reset. No node may run meanwhile. Each piece is a transaction, and another call continues.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice

import psycopg

from chat.search.indexer import note_days
from chat.search.lexemes import encode_keys, encode_words, quote, quoted_grams
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)
PIECE = 20_000
BODIES = 200_000  # different sentences; one is used again with another author and ticket
REBUILT = 100_000  # from this many on it is faster to rebuild the search index
BEGIN, STEP = datetime(2015, 1, 1, tzinfo=UTC), timedelta(seconds=30)
TICKET_HITS = 15  # messages that mention one ticket


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """A message; `vector` is what the search finds it by."""

    conversation: int
    seq: int
    position: int
    author: int
    body: str
    vector: str

    @property
    def at(self) -> datetime:
        """The time of the post, half a minute after the message before it."""
        return BEGIN + self.position * STEP


async def fill(
    database_url: str,
    conversations: Mapping[int, int],
    author_ids: Sequence[int],
    *,
    index: bool = True,
    told: Callable[[int], object] = int,
) -> None:
    """Write messages until each conversation (id → number) has that many.

    `told` is called with the number written so far after each piece. With `index` the search finds them. Statistics are
    updated at the end.
    """
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        filler = await Filler.begin(connection, conversations, author_ids)
        if index and filler.missing >= REBUILT:
            await connection.execute(queries.drop_index)
        for piece in filler.pieces():
            await store(connection, piece, index)
            told(len(piece))
        await connection.execute(queries.spare_no_memory)
        await connection.execute(queries.build_index)
        for query in (queries.tidy_messages, queries.tidy_documents, queries.tidy_conversations):
            await connection.execute(query)


async def read_head(connection: Connection) -> int:
    """Return the position of the log's head."""
    [head] = await (await connection.execute(queries.read_head)).fetchall()
    return int(head[0])


class Filler:
    """The messages still to be written. `shares` holds (conversation, last seq, how many more)."""

    def __init__(self, shares: Sequence[tuple[int, int, int]], head: int, author_ids: Sequence[int]) -> None:
        self._shares, self._head, self._authors = shares, head, author_ids
        self.missing = sum(share[2] for share in shares)

    @classmethod
    async def begin(cls, connection: Connection, wanted: Mapping[int, int], author_ids: Sequence[int]) -> "Filler":
        """Read what exists already."""
        rows = await (await connection.execute(queries.read_ends, [list(wanted)])).fetchall()
        shares = [(id_, last, max(0, wanted[id_] - last)) for id_, last in rows]
        return cls(shares, await read_head(connection), author_ids)

    def pieces(self) -> Iterator[list[SampleMessage]]:
        """Yield all messages, a piece at a time."""
        everything = self._messages()
        while piece := list(islice(everything, PIECE)):
            yield piece

    def _messages(self) -> Iterator[SampleMessage]:
        luck = random.Random(self._head)
        bodies = [(body, encode_words(body)) for body in SampleTalk().sentences(min(BODIES, self.missing))]
        tickets = max(1, int((self._head + self.missing) * TICKETED / TICKET_HITS))
        last = {conversation: seq for conversation, seq, _ in self._shares}
        places = spread([share[2] for share in self._shares], luck)
        for position, place in enumerate(places, self._head + 1):
            body, vector = luck.choice(bodies)
            if luck.random() < TICKETED:
                ticket = ticket_named(luck.randrange(tickets))
                body, vector = f"{body} {ticket}", f"{vector} {quote(ticket)}:99 {quoted_grams(ticket)}"
            conversation, author = self._shares[place][0], luck.choice(self._authors)
            last[conversation] += 1
            keys = encode_keys(conversation, last[conversation], position, author, BEGIN + position * STEP)
            yield SampleMessage(conversation, last[conversation], position, author, body, f"{vector} {keys}")


async def store(connection: Connection, piece: Sequence[SampleMessage], index: bool) -> None:
    """Store a piece in one transaction."""
    async with connection.transaction(), connection.cursor() as cursor:
        async with cursor.copy(queries.copy_messages) as rows:
            for one in piece:
                fields = one.conversation, one.seq, one.position, one.author, f"f-{one.position:012}", one.body, one.at
                await rows.write_row(fields)
        if index:
            async with cursor.copy(queries.copy_documents) as rows:
                for one in piece:
                    await rows.write_row((one.conversation, one.seq, one.position, one.at, one.vector))
            await note_days(connection, [one.position for one in piece], [one.at for one in piece])
        ends = {one.conversation: one.seq for one in piece}
        await connection.execute(queries.move_ends, [list(ends), list(ends.values())])
        await connection.execute(queries.move_head, [piece[-1].position] * 2)
        await connection.execute(queries.move_progress, [piece[-1].position])


# Sample text in several scripts, with word frequencies as in real text (Zipf): the most frequent word of a language
# is twice as frequent as the second and three times as frequent as the third. The same seed gives the same text.

WORDS = 20_000  # in a language
SHORTEST, LONGEST = 1, 20
LINKED, TICKETED = 0.02, 0.1  # of all messages: with a link, with the number of a ticket


@dataclass(frozen=True, slots=True)
class LanguageShape:
    """The shape of a language's words: an onset, a vowel, perhaps a coda, repeated; `between` separates words."""

    onsets: str
    vowels: str
    ends: str = ""
    between: str = " "
    longest: int = 4


TONGUES = {
    "latin": LanguageShape("bcdfghjklmnprstvwz", "aeiou", "nrslt"),
    "accents": LanguageShape("bcçdfgjlmnñprst", "aáäeéèiíoóöuúü", "nrs"),
    "cyrillic": LanguageShape("бвгджзклмнпрстфхцчш", "аеиоуыэюя", "йнрст"),
    "arabic": LanguageShape("بتجدرسشعفقكلمنه", "اوي", ""),
    "hangul": LanguageShape("가나다라마바사아자차카타파하", "고노도로모보소오조초코토포호", "", longest=2),
    "kana": LanguageShape("あかさたなはまやらわ", "いうえおきくけこ", "ん", between="", longest=2),
    "han": LanguageShape(
        "我你他这那有没不是来去看说想知道东京都会时间问题", "的了在和大小好多人天年月日上下", "", between="", longest=1
    ),
}
SHARES = {"latin": 60, "accents": 12, "cyrillic": 10, "arabic": 4, "hangul": 4, "kana": 4, "han": 6}


def make_words(tongue: LanguageShape, number: int, luck: random.Random) -> list[str]:
    """Return that many different words, the most frequent and shortest first."""
    found: dict[str, None] = {}
    length = 1
    while len(found) < number:
        tries = len(found)
        for _ in range(number):
            found[make_word(tongue, length, luck)] = None
            if len(found) >= min(number, 8 ** (length + 1)):
                break
        length += length < tongue.longest or len(found) == tries
    return list(found)


def make_word(tongue: LanguageShape, length: int, luck: random.Random) -> str:
    """Return a word of that many syllables."""
    syllables = [luck.choice(tongue.onsets) + luck.choice(tongue.vowels) for _ in range(length)]
    return "".join(syllables) + (luck.choice(tongue.ends) if tongue.ends and luck.random() < 0.5 else "")


class SampleTalk:
    """Words of every language, and sentences made of them."""

    def __init__(self, seed: int = 1) -> None:
        self._luck = random.Random(seed)
        self.words = {name: make_words(tongue, WORDS, self._luck) for name, tongue in TONGUES.items()}
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))

    def sentences(self, number: int) -> Iterator[str]:
        """Return that many messages, each in one language."""
        for name in self._luck.choices(list(SHARES), [*SHARES.values()], k=number):
            size = min(LONGEST, SHORTEST + int(self._luck.expovariate(1 / 7)))
            words = self._luck.choices(self.words[name], cum_weights=self._weights, k=size)
            yield self._finish(TONGUES[name].between.join(words))

    def _finish(self, sentence: str) -> str:
        luck = self._luck.random()
        if luck < LINKED:
            return f"{sentence} https://example.org/{self._luck.choice(self.words['latin'])}"
        return sentence + "?" if luck < 0.1 else sentence.capitalize() + "." if luck < 0.4 else sentence


def ticket_named(number: int) -> str:
    """Return a ticket's name. All have the same length, so a prefix is equally selective among few and many."""
    return f"t{number:05}"


def spread(shares: Sequence[int], luck: random.Random) -> Iterator[int]:
    """Yield the conversation of each next message until every share is used up, mixed as in real use."""
    left = list(shares)
    total = sum(left)
    while total > 0:
        for place in luck.choices(range(len(left)), left, k=min(total, 1_000)):
            if left[place]:
                left[place] -= 1
                total -= 1
                yield place
