"""Posting: group commit. Every post that arrived while the last commit was under way goes into one transaction."""

import asyncio
from collections.abc import Sequence

from chat.log.append import Log
from chat.messages.commit import Batch, Outcome, Posted
from chat.messages.draft import Post
from chat.messages.refusals import Undecided
from chat.shared.gather import Gather
from chat.shared.patience import Patience

BATCH = 500


class Posts:
    """The one writer of a node."""

    def __init__(self, log: Log, waiting_most: int, patience: float = 10.0) -> None:
        self._log, self._patience = log, Patience(patience, lambda: Undecided(retry_after=1))
        self._gather = Gather[Post, Posted](self._append, batch=BATCH, limit=waiting_most, weigh=weigh_post)
        self.run, self.waiting, self.busy = self._gather.run, self._gather.waiting, self._gather.busy
        self.give_up = self._patience.run

    def submit(self, post: Post) -> "asyncio.Future[Posted]":
        """Durable when it is done. Raises `NotFound`, `NotMember`, `Archived`, `Blocked`, `Invalid`.

        Or that PostgreSQL is away; `Overloaded` at once. PostgreSQL may hang as well as fail: then `Undecided`. What
        was not taken into a transaction by then will not be stored, what was may be, and a retry finds out.
        """
        outcome = self._gather.submit(post)
        self._patience.hold(outcome)
        return outcome

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
