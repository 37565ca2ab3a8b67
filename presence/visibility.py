"""Visibility: who may see whom. The one place that decides it, for sockets and HTTP alike."""

from collections.abc import Sequence, Set

from chat.shared.batching import Batcher
from chat.shared.postgres import Pool
from chat.shared.sql import load

queries = load(__file__)

Question = tuple[int, tuple[int, ...]]

NOBODY: frozenset[int] = frozenset()


class Visibility:
    """Answers many questions in one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gather = Batcher[Question, set[int]](self._read, batch=50, limit=20_000)
        self.waiting = self._gather.waiting
        self._hidden = Batcher[int, frozenset[int]](self._read_hidden, batch=500, limit=20_000)
        self.works = {"see who may see whom": self._gather.run, "see who is hidden": self._hidden.run}

    async def narrow(self, viewer_id: int, user_ids: Sequence[int]) -> set[int]:
        """Those of them whom the viewer may see. Raises that PostgreSQL is away, or `Overloaded`."""
        return await self._gather.submit((viewer_id, tuple(user_ids)))

    async def hidden(self, viewer_id: int) -> frozenset[int]:
        """Who is hidden from the viewer, shared conversations or not. Raises as `narrow` does."""
        return await self._hidden.submit(viewer_id)

    async def _read(self, questions: list[Question]) -> list[set[int]]:
        pairs = [(n, viewer, user) for n, (viewer, users) in enumerate(questions) for user in users]
        columns = [list(column) for column in zip(*pairs, strict=True)] or [[], [], []]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.narrow, columns)).fetchall()
        seen: list[set[int]] = [set() for _ in questions]
        for n, user_id in rows:
            seen[n].add(user_id)
        return seen

    async def _read_hidden(self, viewer_ids: list[int]) -> list[frozenset[int]]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.read_hidden, [viewer_ids])).fetchall()
        hidden: dict[int, set[int]] = {}
        for viewer_id, user_id in rows:
            hidden.setdefault(viewer_id, set()).add(user_id)
        return [frozenset(hidden[one]) if one in hidden else NOBODY for one in viewer_ids]


def see_typing(belongs: Set[int], hidden: Set[int], conversation_id: int, people: Sequence[int]) -> list[int] | None:
    """Those who type there and are not hidden; None for who does not belong there."""
    return [one for one in people if one not in hidden] if conversation_id in belongs else None
