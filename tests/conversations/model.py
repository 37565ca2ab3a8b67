"""A user's knowledge of all conversations, as a pure function: snapshot, then entries, give a fresh snapshot.

The web client's model follows the same rules; both pass `tests/cases/attention.json`.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.messages.model import KEPT

Json = dict[str, Any]


@dataclass
class Known:
    """`conversations` by id, as in `GET /api/chat/conversations`; `blocked`: users that `me` has blocked; `receipts`:
    how far others have read, for conversations that were asked for; `announcement`: the one above all conversations."""

    me: int
    conversations: dict[int, Json] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    receipts: dict[int, dict[int, int]] = field(default_factory=dict)
    announcement: Json | None = None

    def hear(self, event: str, data: Json) -> None:
        """Apply one entry of the log."""
        if event == "block":
            return self._block(data)
        if event == "announcement":
            self.announcement = data["announcement"]
            return None
        id_ = data.get("conversation", data.get("id"))
        if event == "member" and data["user"] == self.me:
            return self._move(id_, data["role"])
        self._note(self.receipts.get(id_, {}), event, data)
        if one := self.conversations.get(id_):
            self._change(one, event, data)
            if one.get("archived"):
                self._move(id_, None)
        return None

    def _change(self, one: Json, event: str, data: Json) -> None:
        match event:
            case "message":
                self._add(one, data)
            case "edit":
                self._correct(one, data)
            case "delete":
                self._bury(one, data)
            case "read":
                one |= {"read_seq": data["seq"], "unread": data["unread"], "mentions": data["mentions"]}
                one.pop("marked_unread", None)
                one |= {"marked_unread": True} if data.get("marked_unread") else {}
            case "notifications":
                one.pop("own_level", None)
                one |= {name: value for name, value in data.items() if name in ("level", "muted_until", "own_level")}
            case "member" if "members" in one:
                others = set(one["members"]) - {data["user"]}
                one["members"] = sorted(others | ({data["user"]} if data["role"] else set()))
            case "conversation":
                one |= data

    def _move(self, id_: int, role: str | None) -> None:
        """Apply a membership change of the user; a new conversation follows in an entry of its own."""
        if role is None:
            self.conversations.pop(id_, None)
            self.receipts.pop(id_, None)
        else:
            self.conversations.setdefault(id_, {})["role"] = role

    def _note(self, receipts: dict[int, int], event: str, data: Json) -> None:
        """Apply another user's receipt, message or leaving to the receipts."""
        if event in ("receipt", "message") and (user := data.get("user", data.get("author"))) != self.me:
            receipts[user] = data["seq"]
        elif event == "member" and data["role"] is None:
            receipts.pop(data["user"], None)

    def _add(self, one: Json, message: Json) -> None:
        """Add an own message, which counts as read with all above it."""
        one |= {"last_seq": message["seq"], "last_message": message}
        if message["author"] == self.me:
            one |= {"read_seq": message["seq"], "unread": 0, "mentions": 0}
            one.pop("marked_unread", None)
        else:
            one["unread"] += 1
            one["mentions"] += self._means_me(message)

    def _correct(self, one: Json, data: Json) -> None:
        """Apply an edit: a user whom the text does not mention any more has one mention less."""
        edited = {name: value for name, value in data.items() if name != "former_mentions"}
        if data["seq"] == one["last_seq"]:
            one["last_message"] = edited
        former = {**data.get("former_mentions", {}), "author": data["author"]}
        if data["seq"] > one["read_seq"]:
            one["mentions"] -= self._means_me(former) and not self._means_me(edited)

    def _bury(self, one: Json, gone: Json) -> None:
        """Apply a deletion: a deleted message counts as read."""
        if gone["seq"] == one["last_seq"]:
            kept = {name: value for name, value in one["last_message"].items() if name in KEPT}
            one["last_message"] = kept | {"body": "", "deleted": True}
        if gone["seq"] > one["read_seq"]:
            one["unread"] -= gone.get("author") != self.me
            one["mentions"] -= self._means_me(gone)

    def _means_me(self, message: Json) -> bool:
        """Return whether another user's message mentions the user, by name or as everyone; blocked authors do not."""
        called = "mentions_all" in message or self.me in message.get("mentions", ())
        return called and message["author"] not in self.blocked | {self.me}

    def _block(self, data: Json) -> None:
        """Apply a block with the counts in its entry."""
        self.blocked = self.blocked | {data["user"]} if data["on"] else self.blocked - {data["user"]}
        for count in data["mentions"]:
            self.conversations[count["conversation"]]["mentions"] = count["mentions"]
