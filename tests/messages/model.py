"""A reader's knowledge of one conversation, as a pure function: snapshot, then entries, give a fresh snapshot.

Repeating a step is harmless, because a page may be newer than the cursor from which the stream continues.
"""

import math
from dataclasses import dataclass, field
from typing import Any

SHOWN = 100
KEPT = ("conversation", "seq", "author", "client_id", "created_at", "thread", "replies", "last_reply", "last_reply_at")
Json = dict[str, Any]


@dataclass
class Known:
    """`messages` by seq, `pins` with the latest first, and `threads` that `me` follows by the seq of their root: each
    with how far it is read, how many of the counted replies (up to `last_seq`) are unread, and the position in the log
    up to which deletions are counted."""

    me: int
    messages: dict[int, Json]
    pins: list[int] = field(default_factory=list)
    threads: dict[int, Json] = field(default_factory=dict)

    def hear(self, event: str, data: Json, position: float = math.inf) -> None:
        """Apply the entry of the log at this position."""
        match event:
            case "message" | "edit":
                self.messages[data["seq"]] = {name: value for name, value in data.items() if name != "former_mentions"}
                if event == "message" and "thread" in data:
                    self._count(data)
            case "delete":
                old = self.messages[data["seq"]]
                self.messages[data["seq"]] = {key: old[key] for key in KEPT if key in old} | {
                    "body": "",
                    "deleted": True,
                }
                self.pins = [seq for seq in self.pins if seq != data["seq"]]
                self._uncount(data, position)
            case "reaction":
                self._react(self.messages[data["seq"]], data)
            case "pin":
                self._pin(self.messages[data["seq"]], data)
            case "thread":
                self._follow(data, position)

    def _count(self, reply: Json) -> None:
        """Count a reply that has not been counted."""
        root, seq = self.messages[reply["thread"]], reply["seq"]
        if seq > root.get("last_reply", 0):
            latest = max(root.get("last_reply_at", ""), reply["created_at"])
            root |= {"replies": root.get("replies", 0) + 1, "last_reply": seq, "last_reply_at": latest}
        thread = self.threads.get(root["seq"])
        if reply["author"] == self.me:
            self.threads[root["seq"]] = {"read_seq": seq, "last_seq": seq, "unread": 0}
        elif thread and seq > thread["last_seq"]:
            thread |= {"last_seq": seq, "unread": thread["unread"] + 1}

    def _uncount(self, gone: Json, position: float) -> None:
        """Count a deleted reply of another user as read, unless that is counted already."""
        thread = self.threads.get(gone.get("thread", 0))
        if thread is None or gone["author"] == self.me or thread.get("position", 0) >= position:
            return
        if thread["read_seq"] < gone["seq"] <= thread["last_seq"]:
            thread["unread"] -= 1

    def _react(self, message: Json, data: Json) -> None:
        reactions = message.pop("reactions", [])
        one = next((one for one in reactions if one["emoji"] == data["emoji"]), None)
        if one is None and data["on"]:
            reactions.append(one := {"emoji": data["emoji"], "users": []})
        if one is not None:
            join(one, data) if data["on"] else leave(one, data)
            one.pop("count", None)
            one |= {"count": data["count"]} if "count" in data else {}
        left = [one for one in reactions if one["users"]]
        message |= {"reactions": left} if left else {}

    def _pin(self, message: Json, data: Json) -> None:
        message.pop("pinned", None)
        self.pins = [seq for seq in self.pins if seq != data["seq"]]
        if data["on"]:
            message["pinned"] = True
            self.pins.insert(0, data["seq"])

    def _follow(self, data: Json, position: float) -> None:
        self.threads.pop(data["seq"], None)
        if data["following"]:
            counted = {name: data[name] for name in ("read_seq", "last_seq", "unread")}
            self.threads[data["seq"]] = counted | {"position": position}

    def shows(self) -> Json:
        """Return what the user sees."""
        threads = {seq: (thread["read_seq"], thread["unread"]) for seq, thread in self.threads.items()}
        return {"messages": self.messages, "pins": self.pins, "threads": threads}


def join(one: Json, data: Json) -> None:
    """Add a user at the end, while there is room."""
    if data["user"] not in one["users"] and len(one["users"]) < SHOWN:
        one["users"].append(data["user"])


def leave(one: Json, data: Json) -> None:
    """Remove a user; the entry says who is shown instead."""
    one["users"] = [user for user in one["users"] if user != data["user"]]
    if data.get("shown") and data["shown"] not in one["users"]:
        one["users"].append(data["shown"])
