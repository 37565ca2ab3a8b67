"""Places: which conversation each of the source's has become. A key always leads to the same one, whatever its name."""

from collections.abc import Iterable, Sequence

from chat.conversations.drafts import NAME_MOST
from chat.exchange.intake.people import People, pair_of
from chat.exchange.record import Conversation, Key
from chat.exchange.trouble import NoRoom
from chat.log.append import Change
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)

NAMES_MOST = 100


class UnknownPlace(KeyError):
    """A record names a conversation that the source has not told of."""


class Places:
    """`origin` stands before the keys; without one, a key is the name of a channel. `exact`: ids are kept if free."""

    def __init__(self, origin: str | None, exact: bool, people: People) -> None:
        self._origin, self._exact, self._people = origin, exact, people
        self._ids: dict[Key, int] = {}

    def __getitem__(self, key: Key) -> int:
        return self._ids[key]

    def ids(self) -> list[int]:
        """All that are known."""
        return sorted(set(self._ids.values()))

    async def find(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Look up those that are not known yet; raises `UnknownPlace`."""
        wanted = {key for key in keys if key not in self._ids}
        if wanted:
            await self._look_up(connection, wanted)
            if missing := wanted - self._ids.keys():
                raise UnknownPlace(min(map(str, missing)))

    async def bring(self, change: Change, conversations: Sequence[Conversation]) -> None:
        """All of these are there afterwards."""
        wanted = [one for one in conversations if one.id not in self._ids]
        await self._look_up(change.connection, {one.id for one in wanted})
        for one in wanted:
            if one.id not in self._ids:
                self._ids[one.id] = await self._make(change.connection, one)

    async def _look_up(self, connection: Connection, keys: set[Key]) -> None:
        named = {str(key) if self._origin is None else f"{self._origin}:{key}": key for key in keys}
        query = queries.find_channels if self._origin is None else queries.find_origins
        rows = await (await connection.execute(query, [sorted(named)])).fetchall()
        self._ids |= {named[name]: id_ for name, id_ in rows}

    async def _make(self, connection: Connection, one: Conversation) -> int:
        """The direct that its two people have, or a new one; the first name that is free."""
        fields = self._row(one)
        if one.kind == "direct":
            row = await (await connection.execute(queries.find_pair, [fields["pair"]])).fetchone()
            if row is not None:
                return int(row[0])
        if fields["id"] is not None:
            await connection.execute(queries.reserve_id, [fields["id"]])
        for number in range(1, NAMES_MOST):
            name = one.name if number == 1 else f"{one.name[: NAME_MOST - 4]} {number}"
            for id_ in dict.fromkeys((fields["id"], None)):
                tried = fields | {"name": name, "id": id_}
                row = await (await connection.execute(queries.insert_conversation, tried)).fetchone()
                if row is not None:
                    return int(row[0])
        raise NoRoom(one.name)

    def _row(self, one: Conversation) -> dict[str, object]:
        ids = [self._people[name] for name in one.people]
        return {
            "id": one.id if self._exact and isinstance(one.id, int) else None,
            "kind": one.kind,
            "name": one.name,
            "topic": one.topic,
            "private": one.private or one.kind != "channel",
            "pair": pair_of(ids[0], ids[-1]) if one.kind == "direct" else None,
            "origin": None if self._origin is None else f"{self._origin}:{one.id}",
            "creator": self._people[one.created_by] if one.created_by else None,
            "created_at": one.created_at,
            "archived_at": one.archived_at,
            "slow": one.slow,
            "read_only": one.read_only,
        }
