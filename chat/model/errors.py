"""The errors of conversations and messages. Their docstrings are what the caller reads. Pure."""

from typing import Any

from chat.shared.errors import ApiError, Forbidden


class Archived(Forbidden):
    """This conversation is archived. You can read it, but not change it or post to it."""

    code = "archived"


class ReadOnly(Forbidden):
    """Only owners and admins can post here."""

    code = "read_only"


class Banned(Forbidden):
    """This user is banned from the conversation. An owner or admin must lift the ban first."""

    code = "banned"


class NotMember(Forbidden):
    """You are not a member of this public channel. Join it first."""

    code = "not_member"


class Direct(Forbidden):
    """A direct message always has the same two members. Create a group to add others."""

    code = "direct"


class Blocked(Forbidden):
    """You cannot message this user because one of you has blocked the other."""

    code = "blocked"


class Conflict(ApiError):
    """This conflicts with something that exists already."""

    status, code = 409, "conflict"


class ChannelNameTaken(Conflict):
    """A channel with this name exists already. Choose another name."""

    code = "name_taken"


class LooksTaken(ChannelNameTaken):
    """A public channel has a name that looks the same. Choose another name."""


class LastOwner(Conflict):
    """The last owner cannot leave. Make another member an owner first, or archive the conversation."""

    code = "last_owner"


class TooManyMembers(Conflict):
    """The group has reached its limit of members. Create a private channel instead."""

    code = "too_many_members"


class TooManyRemoved(Conflict):
    """This would remove too many members at once. Remove some of them one by one first."""

    code = "too_many_removed"


class ExternalKind(Conflict):
    """The conversation with this external id is of another kind, and a kind cannot be changed. Leave `kind` out."""

    code = "external_kind"


class TooManyInvitations(Conflict):
    """Too many invitations are open. The user must answer some first, or you must wait for answers to yours."""

    code = "too_many_invitations"


class TooManyConversations(Conflict):
    """You, or a user you add, would be in too many conversations. Leave some first."""

    code = "too_many_conversations"


class Undecided(ApiError):
    """The database did not confirm in time. Retry with the same client_id; the message is stored at most once."""

    status, code = 503, "undecided"


class NotYours(Forbidden):
    """Only the author of a message can edit it."""

    code = "not_yours"


class EditTooLate(Forbidden):
    """This message is too old to be edited. Delete it, or post another one."""

    code = "edit_too_late"


class Deleted(Conflict):
    """This message has been deleted."""

    code = "deleted"


class StillStreaming(Conflict):
    """This message is still being written. Finish it first."""

    code = "streaming"


class Finished(Conflict):
    """The text of this message is not being written any more."""

    code = "finished"


class Gap(Conflict):
    """This text begins after the end of the message. Continue at `length`."""

    code = "gap"

    def __init__(self, length: int, detail: str | None = None) -> None:
        super().__init__(detail)
        self.length = length

    def to_problem(self) -> dict[str, Any]:
        """Return the problem document, with the length of the message in code points."""
        return {**super().to_problem(), "length": self.length}


class OtherText(Gap):
    """The message has another text here. Read it, and continue at `length`."""

    code = "other_text"


class TooManyReactions(Conflict):
    """This message has the maximum number of different reactions. Choose one of them."""

    code = "too_many_reactions"


class TooManyPins(Conflict):
    """This conversation has the maximum number of pinned messages. Unpin one first."""

    code = "too_many_pins"


class TooManySaved(Conflict):
    """You have saved the maximum number of messages. Remove some first."""

    code = "too_many_saved"


class NoThread(Conflict):
    """This message is itself a reply in a thread. Use the message that the thread started with."""

    code = "no_thread"


class BlocksOneself(Conflict):
    """You cannot block yourself."""

    code = "blocks_oneself"


class TooManyBlocks(Conflict):
    """You have blocked the maximum number of users. Unblock some first."""

    code = "too_many_blocks"


class TooManyReaders(Conflict):
    """This conversation has too many members for read receipts."""

    code = "too_many_readers"
