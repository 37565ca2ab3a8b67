"""A door: people are removed from a conversation and added again, and what is said meanwhile is not for them."""

import asyncio
import random
from collections.abc import Callable, Sequence

import aiohttp

from chat.chaos.checker import OVERHEARD, Finding
from chat.chaos.history import History
from chat.chaos.people import Enrolled
from chat.chaos.poster import AGAIN, Poster

PAUSE = (0.2, 1.5)
TRY_SECONDS = 8.0
DONE = {200, 201, 204, 404}


class Doorkeeper:
    """`keeper` owns `room`. `outside`: `(person, number)` of messages said while the keeper knew him to be outside;
    `surprises`: answers that he should never have got."""

    def __init__(
        self,
        keeper: Poster,
        room: int,
        people: Sequence[Enrolled],
        http: aiohttp.ClientSession,
        chance: random.Random,
    ) -> None:
        self.room, self.changes = room, 0
        self.outside: list[tuple[int, int]] = []
        self.surprises: list[tuple[int, str]] = []
        # whom a request is still under way for, perhaps, that nobody answered: a node may wake up and carry it out
        self._unclear: set[int] = set()
        self._keeper, self._people, self._http, self._chance = keeper, people, http, chance

    async def keep(self, going: Callable[[], bool]) -> None:
        """One out, a word among those who are left, and in again."""
        while going():
            person = self._chance.choice(self._people)
            await self._insist("DELETE", person)
            _, message = await self._keeper.say(self._http, self.room)
            if person.id not in self._unclear:
                self.outside.append((person.id, message.seq))
            await self._insist("PUT", person)
            await self._keeper.say(self._http, self.room)
            self.changes += 1
            await asyncio.sleep(self._chance.uniform(*PAUSE))

    async def _insist(self, method: str, person: Enrolled) -> None:
        """Until it is acknowledged; removing who is not there any more is done already."""
        while await self._try(method, person) not in DONE:  # noqa: ASYNC110 (nobody tells when it is back)
            await asyncio.sleep(0.3)

    async def _try(self, method: str, person: Enrolled) -> int:
        url = f"{self._keeper.url}/api/chat/conversations/{self.room}/members/{person.id}"
        headers = {"Authorization": f"Bearer {self._keeper.person.token}"}
        patience = aiohttp.ClientTimeout(total=TRY_SECONDS)
        body: dict[str, str] | None = {} if method == "PUT" else None
        try:
            async with self._http.request(method, url, headers=headers, timeout=patience, json=body) as answer:
                if answer.status in (502, 504):  # the balancer's: it lost the node that was asked
                    self._unclear.add(person.id)
                if answer.status not in DONE | AGAIN:
                    self.surprises.append((answer.status, (await answer.text())[:500]))
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            self._unclear.add(person.id)
            return 0


def find_eavesdroppers(
    outside: Sequence[tuple[int, int]], room: int, history: History, readers: dict[int, str]
) -> list[Finding]:
    """Who received what was said while the keeper knew him to be outside."""
    got = {
        (name, receipt.message.seq)
        for name in readers.values()
        for receipt in history.received[name]
        if receipt.message.conversation == room
    }
    return [
        Finding(OVERHEARD, readers[user_id], (room, seq))
        for user_id, seq in outside
        if user_id in readers and (readers[user_id], seq) in got
    ]
