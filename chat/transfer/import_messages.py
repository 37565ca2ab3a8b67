"""Talk: messages with their own authors and times, numbered at the end of their conversations.

Each has its position in the log, by which the search finds it, but no frame: nobody's stream carries old talk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from chat.exchange.intake.people import People
from chat.exchange.intake.places import Places
from chat.exchange.intake.seats import queries as seats_queries
from chat.exchange.record import Message, Ref
from chat.exchange.wording import link
from chat.log.append import Change
from chat.log.entry import IMPORT, NOBODY, Unplaced
from chat.messages.mentions import EVERYBODY, array_text
from chat.messages.mentions import queries as mentions_queries
from chat.messages.reactions import SHOWN
from chat.messages.threads import queries as threads_queries
from chat.model.conversation import Conversation
from chat.model.message import Message as Shown
from chat.shared.sql import elements, load

queries = load(__file__)

Name = tuple[int, int, str]  # conversation, author, client_id

Columns = list[list[object]]


@dataclass
class Rows:
    """What is to be written, a row of each table at a time."""

    messages: list[tuple[object, ...]] = field(default_factory=list)
    reactions: list[tuple[object, ...]] = field(default_factory=list)
    edits: list[tuple[object, ...]] = field(default_factory=list)
    mentions: list[tuple[object, ...]] = field(default_factory=list)
    replies: list[tuple[object, ...]] = field(default_factory=list)
    last: dict[int, Shown] = field(default_factory=dict)


class Talk:
    """`exact`: the source says itself who follows which thread."""

    def __init__(self, people: People, places: Places, exact: bool) -> None:
        self._people, self._places, self._exact = people, places, exact

    def name(self, conversation: int, ref: Message | Ref) -> Name:
        """What a message is known by."""
        return conversation, self._people[ref.author], ref.client_id

    async def find(self, change: Change, names: Sequence[Name]) -> dict[Name, int]:
        """The seqs of those that are there."""
        if not names:
            return {}
        unique = list(dict.fromkeys(names))
        rows = await change.connection.execute(queries.known_messages, texts_of(unique))
        return {unique[n - 1]: seq for n, _, seq in await rows.fetchall()}

    async def bring(self, change: Change, messages: Sequence[Message], ends: dict[int, int]) -> int:
        """Those that are not there yet; how many they were. `ends`: the conversations' last seqs, which are locked."""
        if not messages:
            return 0
        asked = [(self._places[one.conversation], one) for one in messages]
        names = [self.name(place, one) for place, one in asked]
        refs = [self.name(place, ref) for place, one in asked for ref in (one.reply_to, one.thread) if ref]
        known = await self.find(change, [*names, *refs])
        now, rows = await change.now(), Rows()
        for name, (place, one) in zip(names, asked, strict=True):
            if name not in known:
                known[name] = ends[place] = ends[place] + 1
                self._add(change, rows, one, name, known, now)
        if rows.messages:
            await self._write(change, rows)
            await refresh(change, rows.last)
        return len(rows.messages)

    def _add(self, change: Change, rows: Rows, one: Message, name: Name, known: dict[Name, int], now: datetime) -> None:
        (place, author, _), seq = name, known[name]
        entry = change.place(Unplaced(IMPORT, place, NOBODY, subject=seq))
        mentions = [self._people[other] for other in one.mentions]
        reply_to, thread = (known.get(self.name(place, ref), 0) if ref else 0 for ref in (one.reply_to, one.thread))
        said_at = min(one.created_at, now)
        body = name_files(one)
        shown = Shown(
            place, seq, author, body, one.client_id, said_at, one.edited_at, bool(one.deleted_at), reply_to, thread,
            reactions=self._show(one), mentions=mentions, mentions_all=one.mentions_all,
        )  # fmt: skip
        reactions = orjson.dumps(shown.reactions).decode() if shown.reactions else ""
        rest = one.edited_at, one.deleted_at, reply_to, thread, reactions, array_text(mentions) or ""
        said = author, one.client_id, body, said_at
        rows.messages.append((place, seq, entry.position, *said, *rest, one.mentions_all or ""))
        rows.reactions += self._reactions(place, seq, one)
        for number, edit in enumerate(one.edits, 1):
            rows.edits.append((place, seq, number, edit.body, self._people[edit.user], edit.at))
        rows.mentions += [(place, seq, author, user) for user in ([EVERYBODY] if one.mentions_all else mentions)]
        rows.replies += [(place, thread, author, seq, said_at)] if thread else []
        rows.last[place] = shown

    def _reactions(self, place: int, seq: int, one: Message) -> Iterator[tuple[object, ...]]:
        """In their order, and before all that come later: those stand by their positions in the log."""
        for number, reaction in enumerate(one.reactions):
            users = [self._people[user] for user in reaction.users]
            yield place, seq, reaction.emoji, number - len(one.reactions), array_text(users)

    def _show(self, one: Message) -> list[dict[str, object]]:
        """As the message itself shows them."""
        shown: list[dict[str, object]] = []
        for reaction in one.reactions:
            users = [self._people[user] for user in reaction.users]
            count = {"count": len(users)} if len(users) > SHOWN else {}
            shown.append({"emoji": reaction.emoji, "users": users[:SHOWN], **count})
        return shown

    async def _write(self, change: Change, rows: Rows) -> None:
        run = change.connection.execute
        await run(queries.insert_messages, texts_of(rows.messages))
        ends = {place: shown.seq for place, shown in rows.last.items()}
        await run(queries.move_last_seq, [list(ends), list(ends.values())])
        for query, written in (
            (queries.insert_reactions, rows.reactions),
            (queries.insert_edits, rows.edits),
            (mentions_queries.insert_mentions, rows.mentions),
            (threads_queries.count_replies, rows.replies),
        ):
            if written:
                await run(query, columns(written))
        if rows.replies and not self._exact:
            follows = {(place, thread, author): seq for place, thread, author, seq, _ in rows.replies}
            await run(threads_queries.follow_threads, columns([(*who, seq) for who, seq in follows.items()]))


def name_files(one: Message) -> str:
    """What it says; files do not come along, so their names stand in their place."""
    return "\n".join([*([one.body] if one.body else []), *(link(file.name, None) for file in one.files)])


async def refresh(change: Change, last: dict[int, Shown]) -> None:
    """Where somebody is in already: it counts as read, and one entry says where the conversation ends now."""
    run = change.connection.execute
    rows = await (await run(seats_queries.find_inhabited, [list(last)])).fetchall()
    inhabited = {row[0]: last[row[0]].seq for row in rows}
    if not inhabited:
        return
    await run(queries.read_everything, [list(inhabited), list(inhabited.values())])
    for row in await (await run(queries.describe_conversations, [list(inhabited)])).fetchall():
        place = Conversation(*row)
        seq, message = inhabited[place.id], orjson.Fragment(last[place.id].encode())
        read = {"last_seq": seq, "read_seq": seq, "unread": 0, "mentions": 0, "last_message": message}
        change.place(Unplaced("conversation", place.id, data=orjson.dumps(place.describe() | read)))


def texts_of(rows: Sequence[tuple[object, ...]]) -> list[str]:
    """For `unnest`, where there are many."""
    return [elements(column) for column in zip(*rows, strict=True)]


def columns(rows: Sequence[tuple[object, ...]]) -> Columns:
    """For `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]
