"""The people of a Mattermost server, and what each is in which channel."""

from collections.abc import Iterator, Mapping
from typing import Any

from chat.exchange.author import account_name
from chat.exchange.record import Member, User
from chat.exchange.wording import digest, moment, one_line, shown_name

Json = Mapping[str, Any]
PEOPLE_MOST = 150  # letters of a group's key


class People:
    """`names`: their accounts by what they are called there; `seats`: by channel, who is in it and as what."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.accounts: set[str] = set()
        self.seats: dict[str, dict[str, str]] = {}
        self._fresh: list[User] = []

    def take(self, user: Json) -> None:
        """A line of the type `user` or `bot`."""
        name = str(user["username"])
        full = " ".join(str(user.get(part) or "") for part in ("first_name", "last_name"))
        shown = shown_name(user.get("nickname"), full, user.get("display_name"), name)
        gone = moment(float(user["delete_at"]) / 1000) if user.get("delete_at") else None
        about = one_line(str(user.get("position") or ""), 200)
        self.names[name] = account_name(name)
        self.accounts.add(self.names[name])
        self._fresh.append(User(name=self.names[name], display_name=shown, about=about, disabled_at=gone))
        for team in user.get("teams") or ():
            for channel in team.get("channels") or ():
                role = "admin" if "channel_admin" in str(channel.get("roles")) else "member"
                self.sit(channel_key(team["name"], channel["name"]), self.names[name], role)

    def sit(self, key: str, name: str, role: str = "member") -> None:
        """One more is in this conversation."""
        self.seats.setdefault(key, {})[name] = role

    def name_of(self, name: object) -> str:
        """The account name; who has no line of his own is called as he is there."""
        text = str(name)
        if text not in self.names:
            self.take({"username": text})
        return self.names[text]

    def fresh(self) -> Iterator[User]:
        """Those who have not been told of yet."""
        told, self._fresh = self._fresh, []
        yield from told

    def members(self, key: str) -> Iterator[Member]:
        """Who is in it."""
        for name, role in self.seats.get(key, {}).items():
            yield Member.model_validate({"conversation": key, "user": name, "role": role})


def channel_key(team: object, name: object) -> str:
    """What a channel is called there: unlike all others."""
    return f"{team}:{name}"


def direct_key(names: list[str]) -> str:
    """A direct or a group message is known by its people."""
    people = " ".join(sorted(set(names)))
    return "direct:" + (people if len(people) <= PEOPLE_MOST else digest(people))
