"""A draft: what somebody wants to say, checked; or a named refusal. Pure."""

from datetime import datetime
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chat.model.types import ClientId, FileIds, Id, Moment, Text, check_said


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
