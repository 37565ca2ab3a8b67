"""Talk: messages with their own authors and times, numbered at the end of their conversations.

Each has its position in the log, by which the search finds it, but no frame: nobody's stream carries old talk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from chat.conversations.memberships import change_role
from chat.conversations.views import introduce
from chat.log.append import Change
from chat.log.entry import IMPORT, NOBODY, Unplaced
from chat.messages.mentions import EVERYBODY, array_text
from chat.messages.mentions import queries as mentions_queries
from chat.messages.pins import queries as pins_queries
from chat.messages.pins import record_pin
from chat.messages.posting import queries as posting_queries
from chat.messages.reactions import SHOWN
from chat.messages.threads import queries as threads_queries
from chat.model.conversation import Conversation
from chat.model.events import joined
from chat.model.message import Message as Shown
from chat.shared.sql import elements, load
from chat.transfer.import_people import ImportedUsers, Places
from chat.transfer.records import BanRecord, FollowRecord, MemberRecord, MessageRecord, PinRecord, Ref
from chat.transfer.text import link

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


class MessageImporter:
    """`exact`: the source says itself who follows which thread."""

    def __init__(self, people: ImportedUsers, places: Places, exact: bool) -> None:
        self._people, self._places, self._exact = people, places, exact

    def name(self, conversation: int, ref: MessageRecord | Ref) -> Name:
        """What a message is known by."""
        return conversation, self._people[ref.author], ref.client_id

    async def find(self, change: Change, names: Sequence[Name]) -> dict[Name, int]:
        """The seqs of those that are there."""
        if not names:
            return {}
        unique = list(dict.fromkeys(names))
        rows = await change.connection.execute(queries.known_messages, texts_of(unique))
        return {unique[n - 1]: seq for n, _, seq in await rows.fetchall()}

    async def bring(self, change: Change, messages: Sequence[MessageRecord], ends: dict[int, int]) -> int:
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

    def _add(
        self, change: Change, rows: Rows, one: MessageRecord, name: Name, known: dict[Name, int], now: datetime
    ) -> None:
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

    def _reactions(self, place: int, seq: int, one: MessageRecord) -> Iterator[tuple[object, ...]]:
        """In their order, and before all that come later: those stand by their positions in the log."""
        for number, reaction in enumerate(one.reactions):
            users = [self._people[user] for user in reaction.users]
            yield place, seq, reaction.emoji, number - len(one.reactions), array_text(users)

    def _show(self, one: MessageRecord) -> list[dict[str, object]]:
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


def name_files(one: MessageRecord) -> str:
    """What it says; files do not come along, so their names stand in their place."""
    return "\n".join([*([one.body] if one.body else []), *(link(file.name, None) for file in one.files)])


async def refresh(change: Change, last: dict[int, Shown]) -> None:
    """Where somebody is in already: it counts as read, and one entry says where the conversation ends now."""
    run = change.connection.execute
    rows = await (await run(queries.find_inhabited, [list(last)])).fetchall()
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


# Seats: who is in a conversation that has come in, and what hangs on it beside its messages.

ALL = -1  # read up to the end, whatever that is


class MemberImporter:
    """`exact`: a member without a mark has read nothing, else everything."""

    def __init__(self, people: ImportedUsers, places: Places, talk: MessageImporter, exact: bool) -> None:
        self._people, self._places, self._talk, self._exact = people, places, talk, exact

    async def pin(self, change: Change, pins: Sequence[PinRecord]) -> None:
        """In their order; those whose message is not there, or is pinned, are left out."""
        names = [self._talk.name(self._places[pin.conversation], pin.message) for pin in pins]
        seqs = await self._talk.find(change, names)
        found = [(name[0], seqs[name], pin) for name, pin in zip(names, pins, strict=True) if name in seqs]
        if not found:
            return
        done = await change.connection.execute(queries.find_pinned, columns([one[:2] for one in found]))
        pinned = {row[0] - 1 for row in await done.fetchall()}
        for n, (place, seq, pin) in enumerate(found):
            if n not in pinned:
                user = self._people[pin.user]
                position = await record_pin(change, place, seq, user, True)
                await change.connection.execute(pins_queries.set_pin, [position, user, place, seq])

    async def seat(self, change: Change, members: Sequence[MemberRecord]) -> None:
        """Those who are in already stay as they are; only their marks may move."""
        if not members:
            return
        people = [(self._places[one.conversation], self._people[one.user]) for one in members]
        done = await change.connection.execute(queries.find_seated, columns(people))
        seated = {row[0] - 1 for row in await done.fetchall()}
        reads = await self._reads(change, members)
        again = [(*people[n], reads[n]) for n in sorted(seated)]
        if again:
            await change.connection.execute(queries.move_marks, columns(again))
        fresh = [n for n in range(len(members)) if n not in seated]
        if fresh:
            await self._enter(
                change, [members[n] for n in fresh], [people[n] for n in fresh], [reads[n] for n in fresh]
            )

    async def _reads(self, change: Change, members: Sequence[MemberRecord]) -> list[int]:
        names: list[Name | None] = [
            self._talk.name(self._places[one.conversation], one.read) if one.read else None for one in members
        ]
        seqs = await self._talk.find(change, [name for name in names if name])
        return [seqs.get(name, 0) if name else 0 if self._exact else ALL for name in names]

    async def _enter(
        self, change: Change, members: Sequence[MemberRecord], people: Sequence[tuple[int, int]], reads: Sequence[int]
    ) -> None:
        """Those who may hear of it are told, and their neighbours; for the rest a seat is a row."""
        run, rows = change.connection.execute, []
        asked = await run(queries.find_listening, [[user for _, user in people]])
        listening = {row[0] for row in await asked.fetchall()}
        asked = await run(queries.find_inhabited, [[place for place, _ in people]])
        inhabited = {row[0] for row in await asked.fetchall()}
        await change.now()
        quiet = change.place(Unplaced(IMPORT, None, NOBODY)).position
        loud = []
        for one, (place, user), read in zip(members, people, reads, strict=True):
            since = quiet
            if user in listening or place in inhabited:
                since = change.place(joined(place, user, one.role)).position
                loud += [(user, place)] if user in listening else []
            rows.append((place, user, one.role, since, one.joined_at, read, one.level, one.muted_until))
        await run(queries.insert_seats, columns(rows))
        for user, place in loud:
            await introduce(change, user, place)

    async def follow(self, change: Change, follows: Sequence[FollowRecord]) -> None:
        """Those whose thread is there."""
        names = [
            [self._talk.name(self._places[one.conversation], ref) for ref in (one.thread, one.read)] for one in follows
        ]
        seqs = await self._talk.find(change, [name for pair in names for name in pair])
        rows = [
            (root[0], self._people[one.user], seqs[root], seqs.get(read, seqs[root]))
            for one, (root, read) in zip(follows, names, strict=True)
            if root in seqs
        ]
        if rows:
            await change.connection.execute(queries.insert_follows, columns(rows))

    async def ban(self, change: Change, bans: Sequence[BanRecord]) -> None:
        """Who may not come back."""
        rows = [
            (self._places[one.conversation], self._people[one.user], self._people[one.by], one.reason, one.at)
            for one in bans
        ]
        if rows:
            await change.connection.execute(queries.insert_bans, columns(rows))

    async def give(self, change: Change, place: int, user: int) -> None:
        """This conversation to somebody who runs it from now on."""
        asked = [[place], [user]]
        await change.connection.execute(posting_queries.lock_conversations, [[place]])
        await change.connection.execute(queries.lock_people, [[user]])
        if await (await change.connection.execute(queries.find_seated, asked)).fetchone():
            await change_role(change, place, user, "owner")
            return
        since = (await change.record(joined(place, user, "owner"))).position
        await change.connection.execute(
            queries.insert_seats, [*asked, ["owner"], [since], [None], [ALL], ["all"], [None]]
        )
        await introduce(change, user, place)
