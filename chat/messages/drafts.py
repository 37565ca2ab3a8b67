"""Drafts: the bodies of requests that post and edit messages; and posts, with the steps that store them. Pure."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Protocol, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chat.model.message import Message
from chat.model.types import (
    BODY_MOST,
    DATA_MOST,
    ClientId,
    Data,
    FileIds,
    Id,
    MessageType,
    Moment,
    Piece,
    Text,
    check_said,
)
from chat.shared.appearance import check_line
from chat.shared.errors import ApiError

if TYPE_CHECKING:
    from chat.log.append import Change

# Of a request with one message. JSON may write a character beyond 16 bits as `\\ud83e\\udd68`, in twelve bytes, and
# a byte of data in six.
MESSAGE_BYTES = 12 * BODY_MOST + 6 * DATA_MOST + 4096


class ForwardedPlace(BaseModel):
    """The message to forward."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    conversation: Id
    seq: Id


class Draft(BaseModel):
    """A message to post. `client_id` is chosen by the client: posting it again finds the message of the first attempt.

    `reply_to` is a message to quote, `thread` the root of the thread to reply in. `data`: an object of an application,
    of at most 8 KiB; `type`: its word for what the message is. With `files` or `data`, the text may be empty.
    With `streaming`, it may be empty too: the author appends to it until the message is finished.
    `forward` is a message that the author may read. Its text goes along, so the text of this one may be empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text = ""
    client_id: ClientId
    reply_to: Id | None = None
    thread: Id | None = None
    files: FileIds = Field(default_factory=list)  # a literal default would be copied for each draft
    type: MessageType | None = None
    data: Data = None
    streaming: bool = False
    forward: ForwardedPlace | None = None

    @model_validator(mode="after")
    def check_body(self) -> Self:
        """Raise `ValueError` if there is neither text nor a file nor data, and no text will be appended."""
        if self.forward:
            if self.streaming or self.type or self.data:
                raise ValueError("a message that forwards another one has no type and no data, and is not streamed")
        elif not self.streaming:
            check_said(self.body, self.files, self.data)
        return self


class Correction(BaseModel):
    """The new text of a message. `files`: the files to keep; all of them if it is left out.

    `data`: the new data, null for none; unchanged if it is left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text
    files: FileIds | None = None
    data: Data = None


class Append(BaseModel):
    """A piece of a streamed message. `at`: where it begins, in code points: the length so far.

    An empty text only says that the author is still there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    at: Annotated[int, Field(ge=0, lt=2**31)]
    text: Piece


class Finish(BaseModel):
    """The end of a streamed message. `data`: what replaces the message's data; unchanged if it is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    state: Literal["complete", "cancelled", "failed"]
    data: Data = None


class AddressedDraft(Draft):
    """A draft in a batch, with its conversation and, in an import, its author and time."""

    conversation: Id
    author: Id | None = None
    created_at: Moment | None = None

    @model_validator(mode="after")
    def check_import(self) -> Self:
        """Raise `ValueError` if an imported message streams."""
        if self.streaming and self.is_import:
            raise ValueError("an imported message cannot stream")
        return self

    @property
    def is_import(self) -> bool:
        """Return whether this posts for another user or into the past, which only admins may do."""
        return self.author is not None or self.created_at is not None


ExternalId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_line)]


class QueuedDraft(AddressedDraft):
    """A message of a queue. `author_ext` and `conversation_ext` are ids of another system, instead of ours.

    The id of the broker's message is the `client_id` if it has none.
    """

    conversation: Id = 0  # not known yet
    conversation_ext: ExternalId | None = None
    author_ext: ExternalId | None = None

    @model_validator(mode="after")
    def check_places(self) -> Self:
        """Raise `ValueError` unless there are one author and one conversation, and the text is whole."""
        if (self.author is None) == (self.author_ext is None):
            raise ValueError("needs author or author_ext, and not both")
        if (self.conversation == 0) == (self.conversation_ext is None):
            raise ValueError("needs conversation or conversation_ext, and not both")
        if self.streaming:
            raise ValueError("a message of a queue cannot be streamed: nobody could append to it")
        return self


class DraftBatch(BaseModel):
    """The body of a batch. Each message is validated later, alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: Annotated[list[object], Field(min_length=1)]


class Post(NamedTuple):
    """A draft with its author and its conversation. `said_at`: the original time of an imported message.

    `here`: the members that `@here` reaches, None for all; `uploader_id`: the owner of the files, unless the author;
    `ruled`: read-only and slow mode apply although the original time is given.
    `session_id`: the author's session. A streamed message fails when it ends.
    """

    conversation_id: int
    author_id: int
    draft: Draft
    said_at: datetime | None = None
    here: frozenset[int] | None = None
    uploader_id: int | None = None
    session_id: int | None = None
    ruled: bool = False

    @property
    def file_owner_id(self) -> int:
        """The user that must own these files."""
        return self.uploader_id or self.author_id

    def to_message(self, seq: int, said_at: datetime) -> Message:
        """Return the message that the post becomes, before the steps add to it."""
        draft = self.draft
        fields = self.conversation_id, seq, self.author_id, draft.body, draft.client_id, said_at
        return Message(*fields, reply_to=draft.reply_to, thread=draft.thread, type=draft.type, data=draft.data)


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
