"""What the log says about a reaction. Pure."""

import orjson

from chat.log.entry import Unplaced


def reacted(
    conversation_id: int, seq: int, emoji: str, user_id: int, on: bool, count: int, shown: int | None = None
) -> Unplaced:
    """`count`: how many they are now, where the message tells it; `shown`: who is shown now in place of this person."""
    data = {"conversation": conversation_id, "seq": seq, "emoji": emoji, "user": user_id, "on": on}
    more = {"count": count, "shown": shown}
    return Unplaced(
        "reaction", conversation_id, data=orjson.dumps(data | {key: more[key] for key in more if more[key]})
    )
