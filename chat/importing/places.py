"""Places: the channels that lines name, found or made, and the accounts that stand for their authors."""

from collections.abc import Iterable
from typing import Any

from chat.conversations.draft import LARGEST_ID
from chat.importing.server import Server
from chat.importing.trouble import NotMine, Refused

AT_ONCE = 200
CONVERSATIONS = "/api/chat/conversations"


class Place:
    """A channel, and who of the file's authors is known to be in it."""

    def __init__(self, server: Server, id_: int) -> None:
        self._server, self.id = server, id_
        self.authors: dict[str, int] = {}

    def bring(self, authors: Iterable[str]) -> None:
        """Make sure that all of them are in."""
        missing = sorted({author for author in authors if author not in self.authors})
        for first in range(0, len(missing), AT_ONCE):
            names = missing[first : first + AT_ONCE]
            answer = self._server.call("PUT", f"{CONVERSATIONS}/{self.id}/authors", {"names": names})
            self.authors |= dict(zip(names, answer["ids"], strict=True))


class Places:
    """All channels of an import; those that are made are `private` or not."""

    def __init__(self, server: Server, private: bool) -> None:
        self._server, self._private = server, private
        self._places: dict[str, Place] = {}

    def find(self, name: str) -> Place:
        """The channel of this name, whatever its case. Raises `NotMine`."""
        key = name.lower()
        if key not in self._places:
            self._places[key] = Place(self._server, self._find_mine(key) or self._make(name))
        return self._places[key]

    def mark_read(self) -> None:
        """What somebody has imported is no news to him."""
        for place in self._places.values():
            self._server.call("PUT", f"{CONVERSATIONS}/{place.id}/read", {"seq": LARGEST_ID})

    def _find_mine(self, key: str) -> int | None:
        mine = self._server.call("GET", CONVERSATIONS)["conversations"]
        for one in mine:
            if one["kind"] == "channel" and one["name"].lower() == key:
                if one["role"] == "member":
                    raise NotMine(one["name"])
                return int(one["id"])
        return None

    def _make(self, name: str) -> int:
        draft: dict[str, Any] = {"kind": "channel", "name": name, "private": self._private}
        try:
            return int(self._server.call("POST", CONVERSATIONS, draft)["id"])
        except Refused as refused:
            if refused.code != "name_taken":
                raise
        # Ours, when an answer was lost on its way; somebody else's otherwise.
        if found := self._find_mine(name.lower()):
            return found
        raise NotMine(name)
