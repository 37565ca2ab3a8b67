"""What a message refuses. Pure."""

from chat.conversations.refusals import Conflict
from chat.shared.problems import Forbidden, Refusal


class Undecided(Refusal):
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
