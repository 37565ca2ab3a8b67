"""Seats: who is in a conversation that has come in, and what hangs on it beside its messages."""

from collections.abc import Sequence

from chat.conversations.memberships import reseat
from chat.conversations.views import introduce
from chat.exchange.intake.people import People
from chat.exchange.intake.places import Places
from chat.exchange.intake.talk import Name, Talk, columns
from chat.exchange.record import Ban, Follow, Member, Pin
from chat.log.append import Change
from chat.log.entry import IMPORT, NOBODY, Unplaced
from chat.messages.pins import queries as pins_queries
from chat.messages.pins import record_pin
from chat.messages.posting import queries as posting_queries
from chat.model.events import joined
from chat.shared.sql import load

queries = load(__file__)

ALL = -1  # read up to the end, whatever that is


class Seats:
    """`exact`: a member without a mark has read nothing, else everything."""

    def __init__(self, people: People, places: Places, talk: Talk, exact: bool) -> None:
        self._people, self._places, self._talk, self._exact = people, places, talk, exact

    async def pin(self, change: Change, pins: Sequence[Pin]) -> None:
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

    async def seat(self, change: Change, members: Sequence[Member]) -> None:
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

    async def _reads(self, change: Change, members: Sequence[Member]) -> list[int]:
        names: list[Name | None] = [
            self._talk.name(self._places[one.conversation], one.read) if one.read else None for one in members
        ]
        seqs = await self._talk.find(change, [name for name in names if name])
        return [seqs.get(name, 0) if name else 0 if self._exact else ALL for name in names]

    async def _enter(
        self, change: Change, members: Sequence[Member], people: Sequence[tuple[int, int]], reads: Sequence[int]
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

    async def follow(self, change: Change, follows: Sequence[Follow]) -> None:
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

    async def ban(self, change: Change, bans: Sequence[Ban]) -> None:
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
            await reseat(change, place, user, "owner")
            return
        since = (await change.record(joined(place, user, "owner"))).position
        await change.connection.execute(
            queries.insert_seats, [*asked, ["owner"], [since], [None], [ALL], ["all"], [None]]
        )
        await introduce(change, user, place)
