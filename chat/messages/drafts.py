"""A draft: what somebody wants to say, checked; or a named refusal. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

BODY_MOST = 16_000
FILES_MOST = 20
FIRST_YEAR = 1970


def check_text(text: str) -> str:
    """Text that PostgreSQL and every reader can hold: no NUL."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


def check_said(text: str, files: Sequence[object] | None) -> None:
    """Not only white space, unless files say it all; raises `ValueError`."""
    if not text.strip() and not files:
        raise ValueError("must not be empty")


def check_words(text: str) -> str:
    """Something that can be read; raises `ValueError`."""
    check_said(text, None)
    return check_text(text)


def check_distinct(ids: list[int]) -> list[int]:
    """None of them twice."""
    if len(set(ids)) < len(ids):
        raise ValueError("must not name one twice")
    return ids


def parse_moment(value: object) -> object:
    """A time as it stands in JSON, `2026-11-24T09:30:00Z`; the number of seconds or milliseconds is not guessed."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def to_milliseconds(moment: datetime) -> datetime:
    """As exact as times travel; no chat is older than 1970."""
    if moment.year < FIRST_YEAR:
        raise ValueError(f"must not be before {FIRST_YEAR}")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Text = Annotated[str, Field(max_length=BODY_MOST), AfterValidator(check_text)]
Id = Annotated[int, Field(ge=1, lt=2**53)]
FileIds = Annotated[list[Id], Field(max_length=FILES_MOST), AfterValidator(check_distinct)]
Moment = Annotated[AwareDatetime, BeforeValidator(parse_moment), AfterValidator(to_milliseconds)]
ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.~-]+$")]


class Draft(BaseModel):
    """`client_id` is the sender's own name for it: posting it again finds the first one.

    `reply_to` is the message that it quotes, `thread` the one in whose own list of replies it goes. What carries
    `files` may say nothing else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text = ""
    client_id: ClientId
    reply_to: Id | None = None
    thread: Id | None = None
    files: FileIds = Field(default_factory=list)  # a default that stands here would be copied for each

    @model_validator(mode="after")
    def check_body(self) -> Self:
        """Something must be said."""
        check_said(self.body, self.files)
        return self


class Correction(BaseModel):
    """What a message is to say instead. `files`: those of its files that stay; without it all of them do."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text
    files: FileIds | None = None


class AddressedDraft(Draft):
    """A draft in a batch: it names its conversation, and, in an import, who said it when."""

    conversation: Id
    author: Id | None = None
    created_at: Moment | None = None

    @property
    def is_import(self) -> bool:
        """Only admins may post for others or into the past."""
        return self.author is not None or self.created_at is not None


class DraftBatch(BaseModel):
    """What an integration posts at once; each message is judged on its own, so none is checked here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: Annotated[list[object], Field(min_length=1)]


class Post(NamedTuple):
    """A draft with its author and where it goes; an imported one with when it was said.

    `here`: whom `@here` means in it; None: everyone. `bearer_id`: whose files it carries, where not its author's.
    """

    conversation_id: int
    author_id: int
    draft: Draft
    said_at: datetime | None = None
    here: frozenset[int] | None = None
    bearer_id: int | None = None

    def key(self) -> tuple[int, int, str]:
        """What makes two posts the same one."""
        return self.conversation_id, self.author_id, self.draft.client_id
