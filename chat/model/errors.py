"""What a conversation refuses. Pure."""

from chat.shared.errors import ApiError, Forbidden


class Archived(Forbidden):
    """This conversation is archived: it can be read, but nobody can write to it."""

    code = "archived"


class ReadOnly(Forbidden):
    """Only those who run this conversation write to it."""

    code = "read_only"


class Banned(Forbidden):
    """Whoever is banned from a conversation cannot come back until those who run it allow it."""

    code = "banned"


class NotMember(Forbidden):
    """This channel is public, but you are not in it: join it first."""

    code = "not_member"


class Direct(Forbidden):
    """A direct conversation is between the same two people for ever; start a group to talk with others."""

    code = "direct"


class Blocked(Forbidden):
    """You and this person have nothing to do with each other: one of you has blocked the other."""

    code = "blocked"


class Conflict(ApiError):
    """That does not go together with what is there already."""

    status, code = 409, "conflict"


class ChannelNameTaken(Conflict):
    """There is a channel of that name already."""

    code = "name_taken"


class LooksTaken(ChannelNameTaken):
    """A public channel has a name that looks the same. Choose another name."""


class LastOwner(Conflict):
    """The last owner cannot go: make somebody else an owner first, or archive the conversation."""

    code = "last_owner"


class TooManyMembers(Conflict):
    """A group cannot be larger than this; a private channel can."""

    code = "too_many_members"


class TooManyInvitations(Conflict):
    """Too many invitations are open: the user has to answer some first, or you have sent too many."""

    code = "too_many_invitations"


class TooManyConversations(Conflict):
    """You, or somebody you add, would be in more conversations than one person may be; leave some first."""

    code = "too_many_conversations"


# What a message refuses. Pure.


class Undecided(ApiError):
    """The database did not answer in time; post this again with its client_id: it is stored once, come what may."""

    status, code = 503, "undecided"


class NotYours(Forbidden):
    """Only the author of a message may edit it."""

    code = "not_yours"


class EditTooLate(Forbidden):
    """This message was posted too long ago to be edited; delete it, or post another one."""

    code = "edit_too_late"


class Deleted(Conflict):
    """This message has been deleted."""

    code = "deleted"


class TooManyReactions(Conflict):
    """This message has as many different reactions as one may have; choose one of them."""

    code = "too_many_reactions"


class TooManyPins(Conflict):
    """This conversation has as many pinned messages as it may have; unpin another one first."""

    code = "too_many_pins"


class NoThread(Conflict):
    """This message is itself a reply in a thread: name the message that the thread began with."""

    code = "no_thread"


# What is refused about attention. Pure.


class BlocksOneself(Conflict):
    """Nobody can block himself."""

    code = "blocks_oneself"


class TooManyBlocks(Conflict):
    """You have blocked as many people as one person may; unblock some first."""

    code = "too_many_blocks"


class TooManyReaders(Conflict):
    """This conversation has more members than receipts are kept for."""

    code = "too_many_readers"
