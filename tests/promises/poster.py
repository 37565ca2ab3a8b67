"""A poster as careful as a client must be: it tries again with the same client_id until it is told that it is done."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import aiohttp

from tests.cast import Person
from tests.history.history import History
from tests.promises.frames import parse_message
from tests.waiting import breathe

TRY_SECONDS = 15.0
AGAIN = {429, 503}


class Poster:
    """Posts as `person` to the node whose URL `where` gives at each attempt; `refusals`: statuses that made it wait."""

    def __init__(
        self, name: str, person: Person, conversation: int, where: Callable[[], str], history: History
    ) -> None:
        self.name, self.person, self.conversation = name, person, conversation
        self._where, self._history = where, history
        self._numbers = itertools.count(1)
        self.refusals: list[tuple[int, str | None]] = []
        self.failures, self.patience = 0, TRY_SECONDS
        self._going = True
        self._task: asyncio.Task[None] | None = None

    async def post(self, http: aiohttp.ClientSession) -> int:
        """One message, tried until it is acknowledged; the status that did."""
        client_id = f"{self.name}-{next(self._numbers)}"
        body = f"{client_id} says: что-нибудь, 何か, شيء ما 🥨"
        key = (self.conversation, self.person.id, client_id)
        self._history.send(key, body)
        while not (status := await self._try(http, key, body)):
            await breathe()
        return status

    async def _try(self, http: aiohttp.ClientSession, key: tuple[int, int, str], body: str) -> int:
        try:
            status, answer, retry_after = await self._ask(http, {"body": body, "client_id": key[2]})
        except (aiohttp.ClientError, TimeoutError):
            self.failures += 1
            return 0
        if status in AGAIN:
            self.refusals.append((status, retry_after))
            return 0
        assert status in (200, 201), answer
        self._history.acknowledge(key, parse_message(answer["message"]), made=status == 201)
        return status

    async def _ask(self, http: aiohttp.ClientSession, draft: dict[str, str]) -> tuple[int, Any, str | None]:
        async with http.post(
            f"{self._where()}/api/chat/conversations/{self.conversation}/messages",
            json=draft,
            headers={"Authorization": f"Bearer {self.person.token}"},
            timeout=aiohttp.ClientTimeout(total=self.patience),
        ) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers.get("Retry-After")

    def keeps_posting(self, http: aiohttp.ClientSession, pause: float) -> None:
        """One after the other, from now on, until `finishes`."""
        self._task = asyncio.ensure_future(self._post_on(http, pause))

    async def _post_on(self, http: aiohttp.ClientSession, pause: float) -> None:
        while self._going:
            await self.post(http)
            await breathe(pause)

    async def finishes(self) -> None:
        """Wait until the last message has been acknowledged."""
        self._going = False
        if self._task is not None:
            await self._task

    async def leaves(self) -> None:
        """At once, whatever is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
