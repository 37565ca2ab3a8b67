"""Posting: group commit. Every post that arrived while the last commit was under way goes into one transaction."""

import asyncio
from collections.abc import Sequence

from chat.log.append import Log
from chat.messages.commit import Batch, Outcome, Posted
from chat.messages.draft import Post
from chat.messages.refusals import Undecided
from chat.shared.gather import Gather

BATCH = 500


class Posts:
    """The one writer of a node."""

    def __init__(self, log: Log, waiting_most: int, patience: float = 10.0) -> None:
        self._log, self._patience = log, patience
        self._gather = Gather[Post, Posted](self._append, batch=BATCH, limit=waiting_most, weigh=weigh_post)
        self.run, self.waiting, self.busy = self._gather.run, self._gather.waiting, self._gather.busy

    def submit(self, post: Post) -> "asyncio.Future[Posted]":
        """Durable when it is done. Raises `NotFound`, `NotMember`, `Archived`, `Blocked`, `Invalid`.

        Or that PostgreSQL is away; `Overloaded` at once.
        """
        return self._gather.submit(post)

    async def post(self, post: Post) -> Posted:
        """As `submit`, when it is done; raises `Undecided` where that takes too long."""
        return await self.settle(self.submit(post), self.deadline())

    def deadline(self) -> float:
        """Until when a post may take that is submitted now, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._patience

    async def settle(self, outcome: "asyncio.Future[Posted]", deadline: float) -> Posted:
        """What becomes of it. PostgreSQL may hang as well as fail: what was not taken up by then will not be stored,
        what was may be; so `Undecided` is raised, and a retry finds out."""
        try:
            async with asyncio.timeout_at(deadline) as wait:
                return await outcome
        except TimeoutError:
            if wait.expired():
                raise Undecided(retry_after=1) from None
            raise

    async def _append(self, posts: list[Post]) -> Sequence[Outcome]:
        async with self._log.change() as change:
            batch = Batch(posts)
            await batch.look_up(change)
            batch.judge(await change.now())
            await batch.store(change)
        return batch.outcomes()


def weigh_post(post: Post) -> int:
    """Long ones count for more: 500 units stay under 256 KiB, so that announcements carry them and one batch alone
    never fills a reader's buffer."""
    return 1 + len(post.draft.body) // 512 + len(post.draft.files) // 3
