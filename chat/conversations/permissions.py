"""Permissions: which role may do what in a conversation. Pure."""

from dataclasses import dataclass

from chat.conversations.drafts import ConversationPatch
from chat.model.conversation import Conversation
from chat.model.errors import Archived, Blocked, Direct, NotMember
from chat.model.types import Role
from chat.shared.errors import Forbidden, NotFound

RANKS = {"member": 0, "admin": 1, "owner": 2}


@dataclass(frozen=True, slots=True)
class Access:
    """The roles by which a change to a conversation, or to a member of it, is authorized.

    A role of None means not a member. `is_self`: the actor changes their own membership.
    """

    conversation: Conversation
    actor_role: str | None
    subject_role: str | None = None
    is_self: bool = False

    def require_visible(self) -> None:
        """Raise `NotFound` if the actor is not a member and the conversation is not public."""
        if self.actor_role is None and not self.conversation.public:
            raise NotFound

    def require_member(self) -> None:
        if self.actor_role is None:
            raise NotMember

    def require_open(self) -> None:
        """Raise `Archived` or `Blocked`."""
        if self.conversation.archived:
            raise Archived
        if self.conversation.blocked:
            raise Blocked

    def require_manager(self) -> None:
        """Raise `NotMember` or `Forbidden` unless the actor is an owner or admin."""
        self.require_member()
        require_manager_role(self.actor_role or "member")

    def require_rank(self, *roles: str | None) -> None:
        """Raise `Forbidden` if one of these roles is above the actor's."""
        self.require_manager()
        if any(RANKS[role or "member"] > RANKS[self.actor_role or "member"] for role in roles):
            raise Forbidden("Only an owner can give or remove that role.")


def authorize_role_change(access: Access, asked: Role | None) -> str:
    """Return the role that the subject will have; their present one if nothing changes."""
    access.require_visible()
    access.require_open()
    if access.conversation.kind == "direct":
        raise Direct
    if access.subject_role is None:
        return authorize_addition(access, asked or "member")
    if asked is None or asked == access.subject_role:
        return access.subject_role
    access.require_rank(access.subject_role, asked)
    return asked


def authorize_addition(access: Access, role: Role) -> str:
    """Return the role of a new member.

    Any member may add others, anyone who sees a channel may join it, and only owners and admins give higher roles.
    """
    if not access.is_self:
        access.require_member()
    if role != "member":
        access.require_rank(role)
    return role


def authorize_removal(access: Access) -> None:
    """Raise unless the actor leaves, or removes a member whose role is not above theirs."""
    access.require_visible()
    if access.conversation.kind == "direct":
        raise Direct
    if not access.is_self:
        access.require_rank(access.subject_role)
    if access.subject_role is None:
        raise NotFound


def authorize_setting(access: Access) -> None:
    """Raise unless the actor may set all members at once."""
    authorize_change(access)
    access.require_open()


def authorize_change(access: Access) -> None:
    """Raise unless the actor may change the conversation's settings and bans."""
    access.require_visible()
    if access.conversation.kind == "direct":
        raise Direct
    access.require_manager()


def authorize_patch(access: Access, patch: ConversationPatch) -> None:
    """Raise unless the actor may apply the patch.

    An archived conversation can only be changed by the patch that restores it. Only an owner changes whether a channel
    is private, because that decides who can read its earlier messages.
    """
    authorize_change(access)
    if access.conversation.archived and patch.archived is None:
        raise Archived
    if patch.private is not None and patch.private != access.conversation.private:
        if access.conversation.kind != "channel":
            raise Forbidden("A group is always private. Create a channel instead.")
        if access.actor_role != "owner":
            raise Forbidden("Only an owner can make a channel public or private.")


def require_manager_role(role: str) -> None:
    """Raise `Forbidden` unless this is the role of an owner or admin."""
    if RANKS[role] < RANKS["admin"]:
        raise Forbidden("Only an owner or admin of this conversation can do that.")
