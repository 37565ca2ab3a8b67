"""Sight: who may see whom. The one place that decides it, for sockets and HTTP alike."""

from collections.abc import Sequence

from chat.shared.gather import Gather
from chat.shared.postgres import Pool
from chat.shared.queries import load

queries = load(__file__, "sight.sql")
Question = tuple[int, tuple[int, ...]]


class Sight:
    """Answers many questions in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gather = Gather[Question, set[int]](self._read, batch=50, limit=20_000)
        self.run = self._gather.run

    async def narrow(self, viewer_id: int, user_ids: Sequence[int]) -> set[int]:
        """Those of them whom the viewer may see. Raises that PostgreSQL is away, or `Overloaded`."""
        return await self._gather.submit((viewer_id, tuple(user_ids)))

    async def _read(self, questions: list[Question]) -> list[set[int]]:
        pairs = [(n, viewer, user) for n, (viewer, users) in enumerate(questions) for user in users]
        columns = [list(column) for column in zip(*pairs, strict=True)] or [[], [], []]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.narrow, columns)).fetchall()
        seen: list[set[int]] = [set() for _ in questions]
        for n, user_id in rows:
            seen[n].add(user_id)
        return seen
