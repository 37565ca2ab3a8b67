"""Users who are typing. Pure. Typing is relayed and never stored, and expires by itself."""

TYPING_SECONDS = 6.0


class TypingUsers:
    """The typing users of each watched conversation. Moments are seconds of the node's clock."""

    def __init__(self) -> None:
        self._until: dict[int, dict[int, float]] = {}

    def note(self, conversation_id: int, user_id: int, on: bool, now: float) -> bool:
        """Note that a user types or has stopped; return whether the list has changed."""
        users = self._until.setdefault(conversation_id, {})
        before = user_id in users
        if on:
            users[user_id] = now + TYPING_SECONDS
        else:
            users.pop(user_id, None)
        self._tidy(conversation_id)
        return before != on

    def expire(self, now: float) -> set[tuple[int, int]]:
        """Remove users who have not repeated it in time; return `(conversation, user)` of each."""
        changed = set()
        for conversation_id, users in tuple(self._until.items()):
            for user_id in [one for one, until in users.items() if until <= now]:
                del users[user_id]
                changed.add((conversation_id, user_id))
            self._tidy(conversation_id)
        return changed

    def users(self, conversation_id: int) -> list[int]:
        """Return the typing users of a conversation, in the order in which they started."""
        return list(self._until.get(conversation_id, ()))

    def _tidy(self, conversation_id: int) -> None:
        if not self._until[conversation_id]:
            del self._until[conversation_id]
