"""People: the accounts that names stand for, found or made. Nobody can log in to one that is made here."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from chat.exchange.record import Block, User
from chat.log.append import Change
from chat.shared.postgres import Connection
from chat.shared.sql import load

queries = load(__file__)

KEPT = 100_000  # names that are remembered


class People:
    """Ids by name; an account that is there already stays as it is."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._ids[name]

    async def bring(self, connection: Connection, users: Sequence[User], names: Iterable[str]) -> None:
        """All of these exist and are known afterwards; of whom no more than the name is known, he is called so."""
        if len(self._ids) > KEPT:
            self._ids.clear()
        wanted = {name for name in names if name not in self._ids} | {user.name for user in users}
        await self._find(connection, wanted)
        told = {user.name: user for user in users}
        missing = sorted(name for name in wanted if name not in self._ids)
        if missing:
            made = [told.get(name) or User(name=name, display_name=name) for name in missing]
            await connection.execute(queries.insert_people, [*map(list, zip(*map(to_row, made), strict=True))])
            await self._find(connection, missing)

    async def _find(self, connection: Connection, names: Iterable[str]) -> None:
        rows = await (await connection.execute(queries.find_people, [sorted(names)])).fetchall()
        self._ids |= dict(rows)

    async def set_apart(self, change: Change, blocks: Sequence[Block]) -> None:
        """Who does not want to have to do with whom; of a direct between them, it is noted there."""
        pairs = [(self[one.user], self[one.blocked]) for one in blocks if one.user != one.blocked]
        if pairs:
            await change.connection.execute(queries.insert_blocks, [*map(list, zip(*pairs, strict=True))])
            await change.connection.execute(queries.mark_directs, [[pair_of(*pair) for pair in pairs]])


def to_row(user: User) -> tuple[str | bool | datetime | None, ...]:
    """The columns of `insert_people`."""
    known = user.name, user.display_name, user.role, user.about, user.time_zone, user.receipts
    return *known, user.created_at, user.disabled_at


def pair_of(one: int, other: int) -> str:
    """What makes two directs the same one."""
    return "{}:{}".format(*sorted((one, other)))
