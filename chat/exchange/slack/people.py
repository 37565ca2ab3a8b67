"""The people of a Slack workspace, and the account name that stands for each."""

from collections.abc import Iterator, Mapping
from typing import Any

from chat.exchange.author import account_name
from chat.exchange.record import User
from chat.exchange.wording import moment, shown_name


class People:
    """Known from `users.json`, or met on the way: bots, and guests of other workspaces."""

    def __init__(self, listed: list[Any]) -> None:
        self.names: dict[str, str] = {}
        self._fresh: list[User] = []
        for one in listed:
            if isinstance(one, dict) and isinstance(one.get("id"), str):
                self._note(one["id"], str(one.get("name") or one["id"]), one)

    def fresh(self) -> Iterator[User]:
        """Those who have not been told of yet."""
        told, self._fresh = self._fresh, []
        yield from told

    def name_of(self, user_id: str) -> str:
        """The account name; whoever is not known by more is called by his id."""
        if user_id not in self.names:
            self._note(user_id, user_id, {})
        return self.names[user_id]

    def author_of(self, message: Mapping[str, Any]) -> str:
        """Who sent it: a person, perhaps of another workspace, or a bot."""
        user_id = message.get("user")
        if isinstance(user_id, str):
            profile = message.get("user_profile")
            if user_id not in self.names and isinstance(profile, dict):
                self._note(user_id, str(profile.get("name") or user_id), {"profile": profile})
            return self.name_of(user_id)
        bot = message.get("bot_profile")
        shown = message.get("username") or (bot.get("name") if isinstance(bot, dict) else None) or "bot"
        key = f"{message.get('bot_id') or 'bot'} {shown}"
        if key not in self.names:
            self._note(key, f"{shown} (bot)", {"real_name": shown})
        return self.names[key]

    def _note(self, user_id: str, name: str, one: Mapping[str, Any]) -> None:
        profile = one.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        self.names[user_id] = account_name(name)
        names = [profile.get("display_name"), profile.get("real_name"), one.get("real_name"), name]
        gone = moment(float(one.get("updated") or 0)) if one.get("deleted") else None
        about = shown_name(profile.get("title")) if profile.get("title") else ""
        self._fresh.append(
            User(name=self.names[user_id], display_name=shown_name(*names), about=about, disabled_at=gone)
        )
