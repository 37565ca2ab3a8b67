"""Another system: an API key, and what a program does with it."""

from typing import Any
from urllib.parse import quote

from tests.cast import Cast, Person

EVERY = [
    "messages:read",
    "messages:write",
    "conversations:write",
    "users:read",
    "users:write",
    "presence:read",
    "act-as",
]


async def makes_key(ada: Person, cast: Cast, *scopes: str, **limits: Any) -> Person:
    """Make a key as this admin; return its bot, which acts with it."""
    form = {"name": "Shop", "scopes": list(scopes) or EVERY} | limits
    status, made = await ada.call("POST", "/api/keys", form)
    assert status == 201, made
    bot = Person(cast.http, ada.at, made["key"]["user"]["name"], made["key"]["user"]["id"], made["secret"])
    cast.people.append(bot)
    return bot


def user_path(external_id: str) -> str:
    """Return the address of a user of another system."""
    return f"/api/users/ext/{quote(external_id, safe='')}"


def room_path(external_id: str) -> str:
    """Return the address of a conversation of another system."""
    return f"/api/chat/conversations/ext/{quote(external_id, safe='')}"


async def puts_user(shop: Person, external_id: str, **fields: Any) -> dict[str, Any]:
    """Create or change a user; return what the server knows of them."""
    status, user = await shop.call("PUT", user_path(external_id), fields)
    assert status in (200, 201), user
    return dict(user)


async def puts_room(shop: Person, external_id: str, **fields: Any) -> int:
    """Create or change a conversation; return its id."""
    status, made = await shop.call("PUT", room_path(external_id), fields)
    assert status in (200, 201), made
    return int(made["id"])


class Actor(Person):
    """A user for whom a key acts: each call has the header Tandem-User."""

    def __init__(self, cast: Cast, key: Person, named: str, user_id: int = 0) -> None:
        super().__init__(cast.http, key.at, named, user_id, key.token)
        cast.people.append(self)
        self.headers = {"Tandem-User": named}
