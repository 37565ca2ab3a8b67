"""Request bodies for conversations, validated field by field. Pure."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chat.model.types import LARGEST_ID, Id, Name, RequestModel, Role, Topic, UserId

MARKS_MOST = 500  # of one request


class ConversationDraft(RequestModel):
    """A conversation to create. Groups and direct conversations are always private.

    A direct conversation has exactly one member, who may be the creator.
    """

    kind: Literal["channel", "group", "direct"]
    name: Name | None = None
    topic: Topic = ""
    private: bool = False
    members: list[UserId] = Field(default=[])

    @field_validator("name", "topic", "members")
    @classmethod
    def fit_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Require a name for a channel. Allow a direct conversation one member and no other field."""
        kind = info.data.get("kind")
        if kind == "channel" and info.field_name == "name" and value is None:
            raise ValueError("a channel needs one")
        if kind == "direct" and info.field_name == "members" and len(set(value)) != 1:
            raise ValueError("a direct conversation takes exactly one user, or yourself for notes")
        if kind == "direct" and info.field_name != "members" and value:
            raise ValueError("a direct conversation has none")
        return value

    def is_private(self) -> bool:
        """Return whether only members can see the conversation."""
        return self.private or self.kind != "channel"

    def roles(self, creator_id: int) -> dict[int, Role]:
        """Return the first members and their roles. Both members of a direct conversation have the same role."""
        first: Role = "member" if self.kind == "direct" else "owner"
        return {creator_id: first} | {user_id: "member" for user_id in self.members if user_id != creator_id}

    def pair(self, creator_id: int) -> str | None:
        """Return the key that makes a direct conversation of two users unique; None for other kinds."""
        if self.kind != "direct":
            return None
        return "{}:{}".format(*sorted((creator_id, self.members[0])))


class ConversationPatch(RequestModel):
    """The fields to change; the others stay.

    `slow` is the number of seconds between two messages of one user, 0 for no limit.
    """

    name: Name | None = None
    topic: Topic | None = None
    private: bool | None = None
    archived: bool | None = None
    slow: Annotated[int, Field(ge=0)] | None = None
    read_only: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields to change."""
        return self.model_dump(exclude_none=True)


class ExternalDraft(RequestModel):
    """A conversation of another system. Fields that are missing stay as they are.

    A new one is a group unless `kind` says otherwise, and a new channel is private unless `private` is false.
    """

    kind: Literal["channel", "group"] | None = None
    name: Name | None = None
    topic: Topic | None = None
    private: bool | None = None
    archived: bool | None = None
    slow: Annotated[int, Field(ge=0)] | None = None
    read_only: bool | None = None

    def to_draft(self) -> ConversationDraft:
        """Return the new conversation. Raise `ValidationError` for a channel without a name."""
        private = self.kind == "channel" and self.private is not False
        return ConversationDraft(
            kind=self.kind or "group", name=self.name, topic=self.topic or "", private=private, members=[]
        )

    def to_patch(self) -> ConversationPatch:
        """Return the fields to change in an existing conversation."""
        return ConversationPatch(**self.model_dump(exclude_none=True, exclude={"kind"}))


def check_reference(text: str) -> str:
    """Return `ext:` and an external id; raise `ValueError` for another text."""
    if not text.startswith("ext:") or "\0" in text:
        raise ValueError("must be a user's id, or ext: and an external id")
    return text


class MembersForm(RequestModel):
    """All members of a conversation, by id or by `ext:` and an external id. The caller stays a member in any case."""

    users: list[UserId | Annotated[str, AfterValidator(check_reference)]]


class RoleChange(RequestModel):
    """The role to give. Without one, a new member gets the role `member` and an existing member keeps theirs."""

    role: Role | None = None


class ReadMark(RequestModel):
    """Mark everything up to message `seq` as read."""

    seq: Annotated[int, Field(ge=0, le=LARGEST_ID)]


class ConversationMark(ReadMark):
    """Mark everything up to message `seq` of a conversation as read."""

    conversation: Id


class ReadMarksForm(RequestModel):
    """Read marks of several conversations."""

    marks: Annotated[list[ConversationMark], Field(min_length=1, max_length=MARKS_MOST)]


class ReadRequest(ReadMark):
    """Mark everything up to message `seq` as read.

    `unread`: a request of the user. `true` marks the messages after `seq` as unread, at most the last 10,000. They stay
    so whatever devices mark by themselves, until a later message is read, the user posts, or a request with `false`
    marks all of them as read.
    """

    unread: bool | None = None
