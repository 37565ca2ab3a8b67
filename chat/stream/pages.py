"""Pages of the log as one user may read it: for readers that missed more than this node remembers."""

import asyncio
from dataclasses import dataclass

from chat.log.entry import TO_OUTSIDERS, Entry
from chat.log.redaction import Place, Said, erase_one, find_withheld
from chat.shared.postgres import Connection, Pool
from chat.shared.sql import load

queries = load(__file__)

MOST, MOST_BYTES = 1_000, 1024 * 1024

AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Page:
    """`frames`: what the user may read, edits applied; the page ends at `position`. `floor`: cursors below it have
    lost entries; `whole`: the page goes up to the log's head."""

    epoch: str
    floor: int
    position: int
    frames: list[bytes]
    whole: bool


class Pages:
    """Reads pages, a few at a time: ten thousand readers who come back at once must not starve the posts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def read(self, user_id: int, narrow: frozenset[int] | None, after: int) -> Page:
        """The page after position `after`: at most 1,000 entries, about 1 MiB."""
        asked = {
            "user": user_id,
            "narrow": None if narrow is None else sorted(narrow),
            "after": after,
            "most": MOST,
            "bytes": MOST_BYTES,
            "outsiders": sorted(TO_OUTSIDERS),
        }
        async with self._turn, self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_page, asked, binary=True)).fetchall()
            epoch, head, floor, found = rows[0][:4]
            entries = [Entry(*row[4:]) for row in rows if row[4] is not None]
            now = await read_withheld(connection, user_id, find_withheld(entries))
        frames = [erase_one(entry, now).frame if now else entry.frame for entry in entries]
        whole = len(entries) == found < MOST
        return Page(epoch, floor, head if whole else entries[-1].position, frames, whole)


async def read_withheld(connection: Connection, user_id: int, places: set[Place]) -> dict[Place, Said]:
    """Return what these messages say now, of those that the user may still read."""
    if not places:
        return {}
    asked = {"user": user_id, "conversations": [place[0] for place in places], "seqs": [place[1] for place in places]}
    rows = await (await connection.execute(queries.read_withheld, asked, binary=True)).fetchall()
    return {(row[0], row[1]): {"body": row[2], "files": row[3]} for row in rows}
