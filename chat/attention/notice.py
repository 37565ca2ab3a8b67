"""What a member wants to be told of in a conversation. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chat.conversations.drafts import Asked
from chat.messages.drafts import Moment
from chat.messages.message import format_time

Level = Literal["all", "mentions", "nothing"]


@dataclass(frozen=True, slots=True)
class Notice:
    """`muted_until`: nothing is told before that moment; it may have passed."""

    level: str = "all"
    muted_until: datetime | None = None

    def to_json(self) -> dict[str, object]:
        """`{level, muted_until}`."""
        return {"level": self.level, "muted_until": self.muted_until and format_time(self.muted_until)}

    def patched(self, patch: "NoticePatch") -> "Notice":
        """What the patch names is new; the rest stays."""
        level = patch.level or self.level
        return Notice(level, patch.muted_until if "muted_until" in patch.model_fields_set else self.muted_until)


class NoticePatch(Asked):
    """What to change; what is not named stays. A `muted_until` of null ends the mute."""

    level: Level | None = None
    muted_until: Moment | None = None
