"""Revocation reaches everything: streams, sockets and messages that are still being written, on three nodes.

An API key is revoked, the user of a JSON Web Token is disabled, a session is ended, and a user of an OpenID Connect
provider logs out there, each at another node than the ones in use. Run with `-s` to see how long it takes.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from yarl import URL

from tests.accounts.provider import Provider, providing, settings_of, signs_on
from tests.accounts.test_jwt import AUDIENCE, ISSUER, SECRET, token
from tests.accounts.test_sign_on import sends_logout
from tests.accounts.visitor import visiting
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.presence.presence_client import opens_presence
from tests.stream.websocket_client import listens_at_socket
from tests.stream_client import StreamClient
from tests.waiting import eventually

GIVEN = {"jwt_secret": SECRET, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
TEXT = "сборка 🥨 "
SECOND = 1.0
Revoke = Callable[[], Awaitable[int]]
"""Revokes, and returns the status of the answer."""


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """An OpenID Connect provider."""
    async with providing() as made:
        yield made


@pytest.fixture
async def nodes(database_url: str, redis_url: str, provider: Provider) -> AsyncIterator[list[Node]]:
    """Three nodes of one installation, which accept users and tokens of other systems."""
    given = settings_of(provider) | GIVEN
    async with AsyncExitStack() as stack:
        names = ("a1", "b2", "c3")
        yield [
            await stack.enter_async_context(running_node(database_url, redis_url, node=name, **given)) for name in names
        ]


@pytest.fixture
async def cast(database_url: str, nodes: list[Node]) -> AsyncIterator[Cast]:
    """Users of the last node."""
    async with casting(database_url, nodes[2].url) as people:
        yield people


def calls(ada: Person, method: str, path: str, body: object = None) -> Revoke:
    """Return a call of the admin that revokes."""

    async def revoke() -> int:
        return (await ada.call(method, path, body))[0]

    return revoke


async def with_a_key(ada: Person, cast: Cast, _: Provider) -> tuple[Person, Revoke]:
    """Return the bot of a new key."""
    scopes = ["messages:read", "messages:write"]
    status, made = await ada.call("POST", "/api/keys", {"name": "Assistant", "scopes": scopes})
    assert status == 201
    bot = Person(cast.http, ada.at, "bot", made["key"]["user"]["id"], made["secret"])
    return bot, calls(ada, "DELETE", f"/api/keys/{made['key']['id']}")


async def with_a_token(ada: Person, cast: Cast, _: Provider) -> tuple[Person, Revoke]:
    """Return a user of another application, who gets disabled."""
    guest = Person(cast.http, ada.at, "guest", 0, token())
    guest.id = (await guest.call("GET", "/api/users/me"))[1]["id"]
    return guest, calls(ada, "PUT", f"/api/users/{guest.id}/disabled", {"disabled": True})


async def with_a_session(ada: Person, cast: Cast, _: Provider) -> tuple[Person, Revoke]:
    """Return Ben, whose sessions an admin ends."""
    (ben,) = await cast.enters("ben")
    return ben, calls(ada, "DELETE", f"/api/users/{ben.id}/sessions/all")


async def with_sign_on(ada: Person, cast: Cast, provider: Provider) -> tuple[Person, Revoke]:
    """Return a user who logged in at the provider, and logs out there."""
    async with visiting(ada.at) as browser:
        await signs_on(browser)
        session = browser.http.cookie_jar.filter_cookies(URL(ada.at))["tandem"].value
        me = (await browser.call("GET", "/api/users/me"))[1]
    return Person(cast.http, ada.at, me["name"], me["id"], session), lambda: sends_logout(
        ada.at, provider.sign_logout()
    )


async def begins_to_write(author: Person, conversation: int) -> int:
    """Post a message without text and append some; return its number."""
    path = f"/api/chat/conversations/{conversation}/messages"
    status, made = await author.call("POST", path, {"body": "", "client_id": "one", "streaming": True})
    assert status == 201, made
    seq = int(made["message"]["seq"])
    assert await appends(author, conversation, seq, 0) == 200
    return seq


async def appends(author: Person, conversation: int, seq: int, at: int) -> int:
    """Append the text at an offset; return the status."""
    path = f"/api/chat/conversations/{conversation}/messages/{seq}/append"
    return (await author.call("POST", path, {"at": at, "text": TEXT}))[0]


async def opens_all(author: Person, nodes: list[Node]) -> tuple[list[StreamClient], list[StreamClient]]:
    """Open the author's stream and message socket at every node."""
    streams, sockets = [], []
    for node in nodes:
        author.at = node.url
        streams.append(await author.listens())
        sockets.append(await listens_at_socket(author))
    return streams, sockets


@pytest.mark.parametrize("credential", [with_a_key, with_a_token, with_a_session, with_sign_on])
async def test_everything_ends_within_a_second(
    nodes: list[Node], cast: Cast, provider: Provider, credential: object
) -> None:
    """The author is revoked at the third node: streams say why, the message is failed for Chloe, requests are 401."""
    ada, chloe = (await cast.enters("ada", role="admin"))[0], (await cast.enters("chloe"))[0]
    author, revoke = await credential(ada, cast, provider)  # type: ignore[operator]
    conversation = await cast.share(author, chloe)
    chloe.at = nodes[1].url
    reader = await chloe.listens()
    streams, sockets = await opens_all(author, nodes)
    presence = [await opens_presence(author)] if credential is not with_a_key else []
    author.at = nodes[0].url
    seq = await begins_to_write(author, conversation)
    await reader.hears_event("append")

    assert await revoke() in (200, 204)
    revoked = time.monotonic()
    end = await reader.hears_event("finish", limit=SECOND)
    print(f"{credential.__name__}: the message failed {time.monotonic() - revoked:.3f} s after the answer")  # type: ignore[attr-defined]
    assert end.json() == {"conversation": conversation, "seq": seq, "state": "failed", "length": len(TEXT)}
    for one in (*streams, *sockets):
        await one.ends(limit=SECOND)
    assert [stream.named("bye")[0].json() for stream in streams] == [{"reason": "revoked"}] * len(nodes)
    assert [await watcher.closes(limit=SECOND) for watcher in presence] == [4401] * len(presence)
    for node in nodes:
        author.at = node.url
        assert await appends(author, conversation, seq, len(TEXT)) == 401
    text = "".join(event.json()["text"] for event in reader.named("append"))
    assert text == TEXT
    _, page = await chloe.call("GET", f"/api/chat/conversations/{conversation}/messages")
    assert [(message["body"], message["state"]) for message in page["messages"]] == [(TEXT, "failed")]


async def test_a_key_that_is_used_again_and_again(nodes: list[Node], cast: Cast, provider: Provider) -> None:
    """An author appends at all nodes in turn while the key is revoked: readers have what was acknowledged."""
    (ada,), (chloe,) = await cast.enters("ada", role="admin"), await cast.enters("chloe")
    bot, revoke = await with_a_key(ada, cast, provider)
    conversation = await cast.share(bot, chloe)
    reader = await chloe.listens()
    bot.at = nodes[0].url
    seq = await begins_to_write(bot, conversation)
    length, status, turn = len(TEXT), 200, 0
    while status == 200:
        turn += 1
        bot.at = nodes[turn % len(nodes)].url
        if turn == 10:
            assert await revoke() == 204
        status = await appends(bot, conversation, seq, length)
        length += len(TEXT) * (status == 200)
        assert turn < 100
    assert (await reader.hears_event("finish", limit=SECOND)).json()["length"] == length
    assert await eventually(lambda: "".join(event.json()["text"] for event in reader.named("append"))) == TEXT * (
        length // len(TEXT)
    )
