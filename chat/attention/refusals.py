"""What is refused about attention. Pure."""

from chat.conversations.refusals import Conflict


class BlocksOneself(Conflict):
    """Nobody can block himself."""

    code = "blocks_oneself"


class TooManyBlocks(Conflict):
    """You have blocked as many people as one person may; unblock some first."""

    code = "too_many_blocks"


class TooManyReaders(Conflict):
    """This conversation has more members than receipts are kept for."""

    code = "too_many_readers"
