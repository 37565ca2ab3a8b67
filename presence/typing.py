"""Typing: who is writing in which conversation right now. Pure; relayed and never stored, it ends by itself."""

TYPING_SECONDS = 6.0


class TypingUsers:
    """The lists of the conversations that somebody on this node looks at; moments are seconds of the node's clock."""

    def __init__(self) -> None:
        self._until: dict[int, dict[int, float]] = {}

    def note(self, conversation_id: int, user_id: int, on: bool, now: float) -> bool:
        """Somebody types, or has stopped; returns whether the list has changed."""
        people = self._until.setdefault(conversation_id, {})
        before = user_id in people
        if on:
            people[user_id] = now + TYPING_SECONDS
        else:
            people.pop(user_id, None)
        self._tidy(conversation_id)
        return before != on

    def expire(self, now: float) -> set[tuple[int, int]]:
        """Drop who has not said it again; returns `(conversation, person)` of each."""
        changed = set()
        for conversation_id, people in tuple(self._until.items()):
            for user_id in [one for one, until in people.items() if until <= now]:
                del people[user_id]
                changed.add((conversation_id, user_id))
            self._tidy(conversation_id)
        return changed

    def people(self, conversation_id: int) -> list[int]:
        """The whole list, who began first first."""
        return list(self._until.get(conversation_id, ()))

    def _tidy(self, conversation_id: int) -> None:
        if not self._until[conversation_id]:
            del self._until[conversation_id]
