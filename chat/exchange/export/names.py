"""Names: who the ids are, remembered for as many as talk at a time."""

from collections.abc import Iterable

from chat.exchange.export.reader import Reader

KEPT = 100_000


class Names:
    """Ids → names; those that are not remembered are asked for together."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names: dict[int, str] = {}

    def __getitem__(self, user_id: int) -> str:
        return self._names[user_id]

    async def know(self, user_ids: Iterable[int | None]) -> None:
        """All of these."""
        missing = {id_ for id_ in user_ids if id_ is not None and id_ not in self._names}
        if not missing:
            return
        if len(self._names) > KEPT:
            self._names.clear()
        self._names |= dict(await self._reader.read_names(sorted(missing)))
