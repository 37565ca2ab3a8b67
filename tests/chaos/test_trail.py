"""A trail names the two messages between which one is missing, and the streams that brought them."""

from chat.tools.chaos.history import PostedMessage, PostReceipt, Visit, tell_trail

VISITS = [Visit("n1", 0.0, "e.0", 0), Visit("n2", 9.5, "e.4", 2)]


def receipt(position: int) -> PostReceipt:
    """Return a receipt at that position; its text does not matter."""
    return PostReceipt(position, PostedMessage(1, position, 7, f"m{position}", "hello"))


def test_lost_on_the_way_from_one_stream_to_the_next() -> None:
    """The last message of one stream and the first of the next are named."""
    told = tell_trail(VISITS, [receipt(1), receipt(4), receipt(6)], 5)
    assert told == (
        "position 5 is missing between 4 (stream 1 on n1, since 0.0 s, from e.0)"
        " and 6 (stream 2 on n2, since 9.5 s, from e.4)"
    )


def test_a_first_or_last_message_is_missing() -> None:
    """A missing first message and a missing last one are named too."""
    assert "between nothing and 4 (stream 1" in tell_trail(VISITS, [receipt(4)], 3)
    assert tell_trail(VISITS, [receipt(4), receipt(5), receipt(6)], 7).endswith("and nothing")
