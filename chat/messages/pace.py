"""Pace: where only some may write, or nobody too often; judged as posts are stored, by what is locked anyway. Pure."""

from datetime import datetime, timedelta
from math import ceil

from chat.conversations.permissions import RANKS
from chat.conversations.refusals import ReadOnly
from chat.shared.problems import Refusal, TooFast

SLOW = "This conversation is in slow mode: wait a while between two messages."


class Pace:
    """What one batch of posts is judged by. Those who run a conversation are held back by nothing."""

    def __init__(self) -> None:
        self._slow: dict[int, timedelta] = {}
        self._read_only: set[int] = set()
        self._runners: set[tuple[int, int]] = set()
        self._last: dict[tuple[int, int], datetime] = {}

    def see_conversation(self, conversation_id: int, slow: int, read_only: bool) -> None:
        """`slow`: seconds between two messages, 0 for any pace."""
        if slow:
            self._slow[conversation_id] = timedelta(seconds=slow)
        if read_only:
            self._read_only.add(conversation_id)

    def see_author(self, conversation_id: int, user_id: int, role: str, posted_at: datetime | None) -> None:
        """Who is about to write, as what, and when last."""
        if RANKS[role] >= RANKS["admin"]:
            self._runners.add((conversation_id, user_id))
        if posted_at is not None:
            self._last[conversation_id, user_id] = posted_at

    def judge(self, conversation_id: int, user_id: int, now: datetime) -> Refusal | None:
        """Why not; None counts as written."""
        place = conversation_id, user_id
        if place in self._runners:
            return None
        if conversation_id in self._read_only:
            return ReadOnly()
        if (slow := self._slow.get(conversation_id)) is None:
            return None
        if (last := self._last.get(place)) is not None and (wait := last + slow - now) > timedelta():
            return TooFast(SLOW, retry_after=ceil(wait.total_seconds()))
        self._last[place] = now
        return None
