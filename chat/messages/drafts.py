"""Drafts: the bodies of requests that post and edit messages; and posts, with the steps that store them. Pure."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chat.model.message import Message
from chat.model.types import BODY_MOST, ClientId, FileIds, Id, Moment, Text, check_said
from chat.shared.errors import ApiError

if TYPE_CHECKING:
    from chat.log.append import Change

# Of a request with one message. JSON may write a character beyond 16 bits as `\\ud83e\\udd68`, in twelve bytes.
MESSAGE_BYTES = 12 * BODY_MOST + 4096


class Draft(BaseModel):
    """A message to post. `client_id` is chosen by the client: posting it again finds the message of the first attempt.

    `reply_to` is a message to quote, `thread` the root of the thread to reply in. With `files`, the text may be empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text = ""
    client_id: ClientId
    reply_to: Id | None = None
    thread: Id | None = None
    files: FileIds = Field(default_factory=list)  # a literal default would be copied for each draft

    @model_validator(mode="after")
    def check_body(self) -> Self:
        """Raise `ValueError` if there is neither text nor a file."""
        check_said(self.body, self.files)
        return self


class Correction(BaseModel):
    """The new text of a message. `files`: the files to keep; all of them if it is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text
    files: FileIds | None = None


class AddressedDraft(Draft):
    """A draft in a batch, with its conversation and, in an import, its author and time."""

    conversation: Id
    author: Id | None = None
    created_at: Moment | None = None

    @property
    def is_import(self) -> bool:
        """Return whether this posts for another user or into the past, which only admins may do."""
        return self.author is not None or self.created_at is not None


class DraftBatch(BaseModel):
    """The body of a batch. Each message is validated later, alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: Annotated[list[object], Field(min_length=1)]


class Post(NamedTuple):
    """A draft with its author and its conversation. `said_at`: the original time of an imported message.

    `here`: the members that `@here` reaches, None for all; `uploader_id`: the owner of the files, unless the author.
    """

    conversation_id: int
    author_id: int
    draft: Draft
    said_at: datetime | None = None
    here: frozenset[int] | None = None
    uploader_id: int | None = None

    @property
    def file_owner_id(self) -> int:
        """The user that must own these files."""
        return self.uploader_id or self.author_id


class PostStep(Protocol):
    """A part of storing a batch of posts: reply targets, attachments, mentions, slow mode.

    The methods are called in this order. By default they do nothing, so they ignore their arguments.
    """

    async def load(self, change: "Change") -> None:  # noqa: ARG002
        """Queue the statements that read what this step needs. Do not fetch: that would be another round trip."""
        return

    async def receive(self) -> None:
        """Fetch the results of `load`, after the batch has synchronized once for all steps."""
        return

    def reject(self, post: Post, now: datetime) -> ApiError | None:  # noqa: ARG002
        """Return the error to reject this post with, or None."""
        return None

    def accept(self, post: Post, now: datetime) -> None:  # noqa: ARG002
        """Reserve what this post uses. No step has rejected it."""
        return

    def apply(self, change: "Change", post: Post, message: Message) -> Message:  # noqa: ARG002
        """Return the message with what this step adds to it."""
        return message

    async def write(self, change: "Change") -> None:  # noqa: ARG002
        """Queue the statements that write for all applied messages. The rows of the messages exist already."""
        return
