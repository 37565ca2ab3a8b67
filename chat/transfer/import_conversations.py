"""The accounts and conversations that an import writes to, found or created."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from chat.log.append import Change
from chat.model.conversation import name_keys
from chat.model.types import NAME_MOST
from chat.shared.postgres import Connection
from chat.shared.sql import load
from chat.transfer.errors import NoFreeName
from chat.transfer.records import BlockRecord, ConversationRecord, Key, UserRecord

queries = load(__file__)
MAX_CACHED = 100_000  # names
MAX_NAMES = 100  # tried for a channel


class ImportedUsers:
    """Ids of users by name. An account that exists stays as it is; a new one cannot log in."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._ids[name]

    async def ensure(self, connection: Connection, users: Sequence[UserRecord], names: Iterable[str]) -> None:
        """Find or create all these users. A name without a record becomes the display name too."""
        if len(self._ids) > MAX_CACHED:
            self._ids.clear()
        wanted = {name for name in names if name not in self._ids} | {user.name for user in users}
        await self._find(connection, wanted)
        records = {user.name: user for user in users}
        missing = sorted(name for name in wanted if name not in self._ids)
        if missing:
            created = [records.get(name) or UserRecord(name=name, display_name=name) for name in missing]
            await connection.execute(queries.insert_users, [*map(list, zip(*map(to_row, created), strict=True))])
            await self._find(connection, missing)

    async def _find(self, connection: Connection, names: Iterable[str]) -> None:
        rows = await (await connection.execute(queries.find_users, [sorted(names)])).fetchall()
        self._ids |= dict(rows)

    async def add_blocks(self, change: Change, blocks: Sequence[BlockRecord]) -> None:
        """Store blocks, and mark existing direct messages between the users as blocked."""
        pairs = [(self[one.user], self[one.blocked]) for one in blocks if one.user != one.blocked]
        if pairs:
            await change.connection.execute(queries.insert_blocks, [*map(list, zip(*pairs, strict=True))])
            await change.connection.execute(queries.mark_blocked, [[pair_of(*pair) for pair in pairs]])


def to_row(user: UserRecord) -> tuple[str | bool | datetime | None, ...]:
    """Return the columns of `insert_users`."""
    known = user.name, user.display_name, user.role, user.about, user.time_zone, user.receipts
    return *known, user.created_at, user.disabled_at


def pair_of(first: int, second: int) -> str:
    """Return the key of the direct message between two users."""
    return "{}:{}".format(*sorted((first, second)))


class UnknownConversation(KeyError):
    """A record names a conversation that no earlier record describes."""


class ImportedConversations:
    """Ids of conversations by the source's keys. A key always leads to the same conversation, even if that is renamed.

    `origin` is put before the keys. Without one, a key is the name of a channel. `exact`: keep the source's ids if
    free.
    """

    def __init__(self, origin: str | None, exact: bool, users: ImportedUsers) -> None:
        self._origin, self._exact, self._users = origin, exact, users
        self._ids: dict[Key, int] = {}

    def __getitem__(self, key: Key) -> int:
        return self._ids[key]

    def ids(self) -> list[int]:
        """Return the ids of all known conversations."""
        return sorted(set(self._ids.values()))

    async def find(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Find conversations that are not known yet. Raise `UnknownConversation`."""
        wanted = {key for key in keys if key not in self._ids}
        if wanted:
            await self._find(connection, wanted)
            if missing := wanted - self._ids.keys():
                raise UnknownConversation(min(map(str, missing)))

    async def ensure(self, change: Change, conversations: Sequence[ConversationRecord]) -> None:
        """Find or create all these conversations."""
        wanted = [one for one in conversations if one.id not in self._ids]
        await self._find(change.connection, {one.id for one in wanted})
        for one in wanted:
            if one.id not in self._ids:
                self._ids[one.id] = await self._make(change.connection, one)

    async def _find(self, connection: Connection, keys: set[Key]) -> None:
        named = {str(key) if self._origin is None else f"{self._origin}:{key}": key for key in keys}
        query = queries.find_channels if self._origin is None else queries.find_origins
        rows = await (await connection.execute(query, [sorted(named)])).fetchall()
        self._ids |= {named[name]: id_ for name, id_ in rows}

    async def _make(self, connection: Connection, one: ConversationRecord) -> int:
        """Return the existing direct message, or create a conversation with the first free name."""
        fields = self._row(one)
        if one.kind == "direct":
            row = await (await connection.execute(queries.find_pair, [fields["pair"]])).fetchone()
            if row is not None:
                return int(row[0])
        if fields["id"] is not None:
            await connection.execute(queries.reserve_id, [fields["id"]])
        for number in range(1, MAX_NAMES):
            name = one.name if number == 1 else f"{one.name[: NAME_MOST - 4]} {number}"
            for id_ in dict.fromkeys((fields["id"], None)):
                tried = fields | {"name": name, "id": id_} | name_keys(one.kind, name)
                row = await (await connection.execute(queries.insert_conversation, tried)).fetchone()
                if row is not None:
                    return int(row[0])
        raise NoFreeName(one.name)

    def _row(self, one: ConversationRecord) -> dict[str, object]:
        ids = [self._users[name] for name in one.people]
        return {
            "id": one.id if self._exact and isinstance(one.id, int) else None,
            "kind": one.kind,
            "name": one.name,
            "topic": one.topic,
            "private": one.private or one.kind != "channel",
            "pair": pair_of(ids[0], ids[-1]) if one.kind == "direct" else None,
            "origin": None if self._origin is None else f"{self._origin}:{one.id}",
            "creator": self._users[one.created_by] if one.created_by else None,
            "created_at": one.created_at,
            "archived_at": one.archived_at,
            "slow": one.slow,
            "read_only": one.read_only,
        }
