"""A poster as careful as a client must be: it tries again with the same client_id until it is told that it is done."""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from chat.chaos.frames import parse_message
from chat.chaos.history import History, Key, Message
from chat.chaos.people import Person
from chat.shared.tasks import Tasks

TRY_SECONDS = 15.0
AGAIN = {429, 502, 503, 504}  # the middle two are a load balancer's
PAUSE = 0.02


class Poster:
    """Posts as `person` to the node whose URL `where` gives at each attempt.

    `refusals`: statuses that made it wait; `surprises`: answers that it should never have got.
    """

    def __init__(
        self, name: str, person: Person, conversation: int, where: Callable[[], str], history: History
    ) -> None:
        self.name, self.person, self.conversation = name, person, conversation
        self._where, self._history = where, history
        self._numbers = itertools.count(1)
        self.refusals: list[tuple[int, str | None]] = []
        self.surprises: list[tuple[int, bytes]] = []
        self.failures, self.patience, self.pause = 0, TRY_SECONDS, PAUSE
        self._going = True
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it would post now."""
        return self._where()

    async def post(self, http: aiohttp.ClientSession) -> int:
        """One message, tried until it is acknowledged; the status that did."""
        return (await self.say(http, self.conversation))[0]

    async def say(
        self, http: aiohttp.ClientSession, conversation: int, begun: dict[Key, float] | None = None
    ) -> tuple[int, Message]:
        """As `post`, there; the message too. `begun` is told when the first attempt was made."""
        client_id = f"{self.name}-{next(self._numbers)}"
        body = f"{client_id} says: что-нибудь, 何か, شيء ما 🥨"
        key = (conversation, self.person.id, client_id)
        self._history.send(key, body)
        if begun is not None:
            begun[key] = time.monotonic()
        while not (status := await self._try(http, key, body)):  # noqa: ASYNC110 (nobody tells when it is back)
            await asyncio.sleep(self.pause)
        return status, self._history.acknowledged[key][-1]

    async def _try(self, http: aiohttp.ClientSession, key: tuple[int, int, str], body: str) -> int:
        try:
            status, answer, retry_after = await self._ask(http, key[0], {"body": body, "client_id": key[2]})
        except (aiohttp.ClientError, TimeoutError):
            self.failures += 1
            return 0
        if status in AGAIN:
            self.refusals.append((status, retry_after))
            return 0
        if status not in (200, 201):
            self.surprises.append((status, answer[:500]))
            return 0
        self._history.acknowledge(key, parse_message(orjson.loads(answer)["message"]), made=status == 201)
        return status

    async def _ask(self, http: aiohttp.ClientSession, conversation: int, draft: dict[str, str]) -> tuple[int, Any, Any]:
        async with http.post(
            f"{self._where()}/api/chat/conversations/{conversation}/messages",
            json=draft,
            headers={"Authorization": f"Bearer {self.person.token}"},
            timeout=aiohttp.ClientTimeout(total=self.patience),
        ) as answer:
            return answer.status, await answer.read(), answer.headers.get("Retry-After")

    def keeps_posting(self, http: aiohttp.ClientSession, pause: float, tasks: Tasks) -> None:
        """One after the other, from now on, until `finishes`."""
        self._task = tasks.start(f"{self.name} posts", self._post_on(http, pause))

    async def _post_on(self, http: aiohttp.ClientSession, pause: float) -> None:
        while self._going:
            await self.post(http)
            await asyncio.sleep(pause)

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
