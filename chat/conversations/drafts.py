"""What somebody asks of a conversation, checked field by field; or a named refusal. Pure."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from chat.model.types import LARGEST_ID, Name, RequestModel, Role, Topic, UserId


class ConversationDraft(RequestModel):
    """A conversation to begin. Groups and directs are always private; a direct's one member may be oneself."""

    kind: Literal["channel", "group", "direct"]
    name: Name | None = None
    topic: Topic = ""
    private: bool = False
    members: list[UserId] = Field(default=[])

    @field_validator("name", "topic", "members")
    @classmethod
    def fit_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """A channel has a name; a direct has one other person and nothing else."""
        kind = info.data.get("kind")
        if kind == "channel" and info.field_name == "name" and value is None:
            raise ValueError("a channel needs one")
        if kind == "direct" and info.field_name == "members" and len(set(value)) != 1:
            raise ValueError("a direct conversation takes exactly one person, or yourself for notes")
        if kind == "direct" and info.field_name != "members" and value:
            raise ValueError("a direct conversation has none")
        return value

    def is_private(self) -> bool:
        """Hidden from everybody who is not in it."""
        return self.private or self.kind != "channel"

    def people(self, creator_id: int) -> dict[int, Role]:
        """Everybody in it at the beginning. In a direct nobody is above the other."""
        first: Role = "member" if self.kind == "direct" else "owner"
        return {creator_id: first} | {user_id: "member" for user_id in self.members if user_id != creator_id}

    def pair(self, creator_id: int) -> str | None:
        """What makes two directs the same one."""
        if self.kind != "direct":
            return None
        return "{}:{}".format(*sorted((creator_id, self.members[0])))


class ConversationPatch(RequestModel):
    """What to change; what is not named stays. `slow`: seconds between two messages of one person, 0 for none."""

    name: Name | None = None
    topic: Topic | None = None
    private: bool | None = None
    archived: bool | None = None
    slow: Annotated[int, Field(ge=0)] | None = None
    read_only: bool | None = None

    def named(self) -> dict[str, Any]:
        """What is to change."""
        return self.model_dump(exclude_none=True)


class RoleChange(RequestModel):
    """The role to give; without one, a newcomer is a member and everybody else keeps theirs."""

    role: Role | None = None


class ReadMark(RequestModel):
    """Everything up to message `seq` has been read."""

    seq: Annotated[int, Field(ge=0, le=LARGEST_ID)]
