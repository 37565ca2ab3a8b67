"""Who may do what. Pure."""

from dataclasses import dataclass

from chat.conversations.drafts import ConversationPatch
from chat.model.conversation import Conversation
from chat.model.errors import Archived, Blocked, Direct, NotMember
from chat.model.types import Role
from chat.shared.errors import Forbidden, NotFound

RANKS = {"member": 0, "admin": 1, "owner": 2}


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody (`actor`) is about to change a conversation, perhaps somebody's seat (`subject`) in it.

    A role of None: not a member. The actor has been found to see the conversation.
    """

    conversation: Conversation
    actor_role: str | None
    subject_role: str | None = None
    oneself: bool = False

    def require_visible(self) -> None:
        """Raises `NotFound`: what one may not see is not there."""
        if self.actor_role is None and not self.conversation.public:
            raise NotFound

    def require_seat(self) -> None:
        """Raises `NotMember`."""
        if self.actor_role is None:
            raise NotMember

    def require_open(self) -> None:
        """Raises `Archived`, `Blocked`."""
        if self.conversation.archived:
            raise Archived
        if self.conversation.blocked:
            raise Blocked

    def require_manager(self) -> None:
        """Owners and admins; raises `Forbidden`."""
        self.require_seat()
        require_runner(self.actor_role or "member")

    def require_above(self, *roles: str | None) -> None:
        """Nobody touches a role above their own; raises `Forbidden`."""
        self.require_manager()
        if any(RANKS[role or "member"] > RANKS[self.actor_role or "member"] for role in roles):
            raise Forbidden("Only an owner may give or take that role.")


def authorize_role_change(scene: Access, asked: Role | None) -> str:
    """The role that the subject will have; the one they have already when nothing is to change."""
    scene.require_visible()
    scene.require_open()
    if scene.conversation.kind == "direct":
        raise Direct
    if scene.subject_role is None:
        return authorize_addition(scene, asked or "member")
    if asked is None or asked == scene.subject_role:
        return scene.subject_role
    scene.require_above(scene.subject_role, asked)
    return asked


def authorize_addition(scene: Access, role: Role) -> str:
    """Whoever is in may bring others, whoever sees it may come; more than a member only by those who run it."""
    if not scene.oneself:
        scene.require_seat()
    if role != "member":
        scene.require_above(role)
    return role


def authorize_removal(scene: Access) -> None:
    """Everybody may go; to send others away takes a rank that is not below theirs."""
    scene.require_visible()
    if scene.conversation.kind == "direct":
        raise Direct
    if not scene.oneself:
        scene.require_above(scene.subject_role)
    if scene.subject_role is None:
        raise NotFound


def authorize_change(scene: Access) -> None:
    """Naming, describing, archiving, slowing down, banning."""
    scene.require_visible()
    if scene.conversation.kind == "direct":
        raise Direct
    scene.require_manager()


def authorize_patch(scene: Access, patch: ConversationPatch) -> None:
    """An archived conversation can only be brought back, and be changed with it; an owner alone opens or closes the
    door, for what was said behind it is then read by all, or by few."""
    authorize_change(scene)
    if scene.conversation.archived and patch.archived is None:
        raise Archived
    if patch.private is not None and patch.private != scene.conversation.private:
        if scene.conversation.kind != "channel":
            raise Forbidden("A group is always private; begin a channel instead.")
        scene.require_above("owner")


def require_runner(role: str) -> None:
    """Owners and admins of a conversation; raises `Forbidden`."""
    if RANKS[role] < RANKS["admin"]:
        raise Forbidden("Only an owner or an admin of this conversation may do that.")
