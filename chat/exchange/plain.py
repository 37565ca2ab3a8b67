"""Plain lines: a message each, with its author, and perhaps its time and its channel; for whatever else there is."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from chat.accounts.validation import DisplayName
from chat.conversations.drafts import Name
from chat.exchange.author import account_name
from chat.exchange.item import Fault, Item, explain
from chat.exchange.lines import read_lines
from chat.exchange.record import Conversation, Member, Message, User
from chat.exchange.trouble import NoPlace
from chat.messages.drafts import Moment, Text, check_words

LONGEST = 1024 * 1024


class Said(BaseModel):
    """What a line says; other fields are left aside, for exports of chats have all sorts of them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    author: DisplayName
    body: Annotated[Text, AfterValidator(check_words)]
    conversation: Name | None = None
    at: Moment | None = None


class Plain:
    """`into`: the channel of lines that name none; channels that are made are `private` or not."""

    def __init__(self, into: str | None, private: bool) -> None:
        self._into, self._private = into, private
        self._seats: dict[str, dict[str, None]] = {}
        self._people: set[str] = set()

    def read(self, file: IO[bytes], name: str, told: Callable[[int], None]) -> Iterator[Item]:
        """Every author before his first message, every channel before its first, and who is in it at the end."""
        for number, line in read_lines(file, told, LONGEST):
            try:
                said = Said.model_validate_json(line)
            except ValidationError as wrong:
                yield Fault(f"{name}:{number}", explain(wrong))
                continue
            yield from self._tell(said, f"{name}:{number}", name_line(number, line))
        for key, people in self._seats.items():
            yield from (Member(conversation=key, user=person) for person in people)

    def _tell(self, said: Said, place: str, client_id: str) -> Iterator[Item]:
        title, author = said.conversation or self._into, account_name(said.author)
        if title is None:
            raise NoPlace(place)
        key = title.lower()
        if author not in self._people:
            self._people.add(author)
            yield User(name=author, display_name=said.author)
        if key not in self._seats:
            self._seats[key] = {}
            yield Conversation(id=key, kind="channel", name=title, private=self._private)
        self._seats[key][author] = None
        at = said.at or datetime.now(UTC)
        yield Message(conversation=key, author=author, client_id=client_id, body=said.body, created_at=at)


def name_line(number: int, line: bytes) -> str:
    """The message's `client_id`: its place and its content, so that the same file again makes no message twice."""
    return f"{number}-{hashlib.sha256(line.strip()).hexdigest()[:32]}"
