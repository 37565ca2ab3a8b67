"""What a conversation refuses. Pure."""

from chat.shared.problems import Forbidden, Refusal


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


class Conflict(Refusal):
    """That does not go together with what is there already."""

    status, code = 409, "conflict"


class NameTaken(Conflict):
    """There is a channel of that name already."""

    code = "name_taken"


class LooksTaken(NameTaken):
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
