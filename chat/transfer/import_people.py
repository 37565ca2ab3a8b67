"""Places: which conversation each of the source's has become. A key always leads to the same one, whatever its name."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from chat.log.append import Change
from chat.model.types import NAME_MOST
from chat.shared.postgres import Connection
from chat.shared.sql import load
from chat.transfer.errors import NoRoom
from chat.transfer.records import BlockRecord, ConversationRecord, Key, UserRecord

queries = load(__file__)

# People: the accounts that names stand for, found or made. Nobody can log in to one that is made here.

KEPT = 100_000  # names that are remembered


class ImportedUsers:
    """Ids by name; an account that is there already stays as it is."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._ids[name]

    async def bring(self, connection: Connection, users: Sequence[UserRecord], names: Iterable[str]) -> None:
        """All of these exist and are known afterwards; of whom no more than the name is known, he is called so."""
        if len(self._ids) > KEPT:
            self._ids.clear()
        wanted = {name for name in names if name not in self._ids} | {user.name for user in users}
        await self._find(connection, wanted)
        told = {user.name: user for user in users}
        missing = sorted(name for name in wanted if name not in self._ids)
        if missing:
            made = [told.get(name) or UserRecord(name=name, display_name=name) for name in missing]
            await connection.execute(queries.insert_people, [*map(list, zip(*map(to_row, made), strict=True))])
            await self._find(connection, missing)

    async def _find(self, connection: Connection, names: Iterable[str]) -> None:
        rows = await (await connection.execute(queries.find_people, [sorted(names)])).fetchall()
        self._ids |= dict(rows)

    async def set_apart(self, change: Change, blocks: Sequence[BlockRecord]) -> None:
        """Who does not want to have to do with whom; of a direct between them, it is noted there."""
        pairs = [(self[one.user], self[one.blocked]) for one in blocks if one.user != one.blocked]
        if pairs:
            await change.connection.execute(queries.insert_blocks, [*map(list, zip(*pairs, strict=True))])
            await change.connection.execute(queries.mark_directs, [[pair_of(*pair) for pair in pairs]])


def to_row(user: UserRecord) -> tuple[str | bool | datetime | None, ...]:
    """The columns of `insert_people`."""
    known = user.name, user.display_name, user.role, user.about, user.time_zone, user.receipts
    return *known, user.created_at, user.disabled_at


def pair_of(one: int, other: int) -> str:
    """What makes two directs the same one."""
    return "{}:{}".format(*sorted((one, other)))


NAMES_MOST = 100


class UnknownPlace(KeyError):
    """A record names a conversation that the source has not told of."""


class Places:
    """`origin` stands before the keys; without one, a key is the name of a channel. `exact`: ids are kept if free."""

    def __init__(self, origin: str | None, exact: bool, people: ImportedUsers) -> None:
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

    async def bring(self, change: Change, conversations: Sequence[ConversationRecord]) -> None:
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

    async def _make(self, connection: Connection, one: ConversationRecord) -> int:
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

    def _row(self, one: ConversationRecord) -> dict[str, object]:
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
