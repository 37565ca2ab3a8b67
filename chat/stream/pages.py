"""Pages of the log as one person sees it: for a reader who comes back after more than this node remembers."""

import asyncio
from dataclasses import dataclass

from chat.shared.postgres import Pool
from chat.shared.queries import load

queries = load(__file__)
MOST, MOST_BYTES = 1_000, 1024 * 1024
AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Page:
    """`frames`: what is addressed to the person, as first sent; the page ends at `position`. `floor`: cursors below
    it have lost entries; `whole`: the page goes up to the log's head."""

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
        }
        async with self._turn, self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_page, asked, binary=True)).fetchall()
        frames = [row[4] for row in rows if row[3] is not None]
        epoch, head, floor, *_, found = rows[0]
        whole = len(frames) == found < MOST
        return Page(epoch, floor, head if whole else rows[-1][3], frames, whole)
