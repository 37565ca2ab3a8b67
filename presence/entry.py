"""Entries of the log as presence needs them; the log itself belongs to the messages, which presence does not know."""

from typing import Protocol

JOIN, LEAVE, LOGOUT, BLOCK = "join", "leave", "logout", "block"


class Entry(Protocol):
    """Addressed to a conversation's members, to one person, or to everyone. `subject`: whom or what it is about."""

    @property
    def position(self) -> int:
        """Its place in the log."""

    @property
    def kind(self) -> str:
        """What happened."""

    @property
    def conversation_id(self) -> int | None:
        """To whose members it goes."""

    @property
    def user_id(self) -> int | None:
        """To whom it goes alone."""

    @property
    def subject(self) -> int | None:
        """The person who joins, leaves or is blocked, or the login that ends."""

    @property
    def frame(self) -> bytes:
        """What its readers get; nothing for those that nobody reads."""
