"""Rain: posts at a rate, whether or not the ones before are answered; a queue that forms is seen, not waited for."""

import asyncio
import time

from chat.bench.posters import Poster, Spoken
from chat.bench.target import Target, door_of, draft

PATIENCE = 30.0


class Rain:
    """Posts over a connection a token, in turns; each carries the moment at which it was its turn, as our own timer had
    it, which knows milliseconds; that its connection was still waiting for an answer then is the server's."""

    def __init__(self, target: Target, tokens: list[str], rate: float, name: str, spoken: Spoken) -> None:
        self._target, self._tokens, self._rate, self._name, self._spoken = target, tokens, rate, name, spoken
        self._begun, self._asked = 0.0, list[int]()

    async def fall(self, count: int) -> None:
        """So many of them; then the answers are waited for."""
        posters = [await self._connect(n, count) for n in range(len(self._tokens))]
        self._begun = time.monotonic()
        for turn in range(count):
            if (wait := self._due(turn) - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._asked.append(time.monotonic_ns())
            posters[turn % len(posters)].ask()
        deadline = time.monotonic() + PATIENCE
        while self._spoken.answered() < count and time.monotonic() < deadline:  # noqa: ASYNC110 (one that tells costs each)
            await asyncio.sleep(0.01)
        for poster in posters:
            poster.finish()

    def _due(self, turn: int) -> float:
        return self._begun + turn / self._rate

    async def _connect(self, n: int, count: int) -> Poster:
        turns = iter(range(n, count, len(self._tokens)))

        def next_request() -> bytes | None:
            if (turn := next(turns, None)) is None:
                return None
            message = draft(f"{self._name}-{turn}", self._asked[turn])
            return self._target.post_request(self._tokens[n], message)

        poster = Poster(next_request, self._spoken, eager=False)
        await asyncio.get_running_loop().create_connection(lambda: poster, *door_of(self._target))
        return poster
