"""Revocation: when a session ends, its streams and sockets end on every node, and receive nothing later."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from chat.shared.web import IDENTITIES
from chat.stream.endpoints import STREAMS
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person, casting
from tests.nodes import Node, running_node
from tests.waiting import eventually

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture(params=["detached", "attached", "without redis"])
async def nodes(request: pytest.FixtureRequest, database_url: str, redis_url: str) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes on one database, with each stream transport, with Redis and without."""
    redis = NOWHERE if request.param == "without redis" else redis_url
    transport = "attached" if request.param == "attached" else "detached"
    async with (
        running_node(database_url, redis, stream_transport=transport) as here,
        running_node(database_url, redis, stream_transport=transport, node="b2") as there,
    ):
        yield here, there


@pytest.fixture
async def cast(database_url: str, nodes: tuple[Node, Node]) -> AsyncIterator[Cast]:
    """Users of the first node."""
    async with casting(database_url, nodes[0].url) as people:
        yield people


async def second_login(cast: Cast, ana: Person, visitor: Visitor) -> Person:
    """Log Ana in again, in a browser without her other session."""
    visitor.leaves()
    status, came = await visitor.logs_in(ana.name)
    assert status == 201
    person = Person(cast.http, visitor.at, ana.name, ana.id, came["token"])
    cast.people.append(person)
    person.session = came["session"]["id"]  # type: ignore[attr-defined]
    return person


async def enters_with_password(cast: Cast, visitor: Visitor, name: str) -> Person:
    """Sign up a user who has a password, unlike those of the cast."""
    status, came = await visitor.signs_up(name)
    assert status == 201
    person = Person(cast.http, visitor.at, name, came["user"]["id"], came["token"])
    cast.people.append(person)
    return person


async def is_out(person: Person, *nodes: Node) -> None:
    """Wait until every node answers 401, and does so from then on."""
    for node in nodes:

        async def refused(at: str = node.url) -> bool:
            person.at = at
            return (await person.call("GET", "/api/users/me"))[0] == 401

        await eventually(refused)
        assert [await refused() for _ in range(3)] == [True] * 3


async def test_a_session_ends_on_every_node(nodes: tuple[Node, Node], cast: Cast) -> None:
    """Ana ends her phone's session from her laptop: its streams at both nodes say bye and close."""
    here, there = nodes
    async with visiting(here.url) as browser:
        laptop = await enters_with_password(cast, browser, "ana")
        phone = await second_login(cast, laptop, browser)
        room = await cast.share(laptop)
        staying = await laptop.listens()
        readers = [await phone.listens()]
        phone.at = there.url
        readers.append(await phone.listens())
        path = f"/api/sessions/{phone.session}"  # type: ignore[attr-defined]
        assert (await laptop.call("DELETE", path))[0] == 204
        for reader in readers:
            assert (await reader.hears_event("bye")).json() == {"reason": "revoked"}
            await reader.ends()
        await laptop.says(room, "after")
        await staying.hears("after")
        assert [reader.bodies() for reader in readers] == [[], []]
        await is_out(phone, here, there)


async def test_the_node_that_ended_it_refuses_at_once(nodes: tuple[Node, Node], cast: Cast) -> None:
    """The node that ended a session refuses its next request, before the log entry arrives."""
    async with visiting(nodes[0].url) as browser:
        ana = await enters_with_password(cast, browser, "ana")
        for _ in range(5):
            phone = await second_login(cast, ana, browser)
            assert (await phone.call("GET", "/api/users/me"))[0] == 200
            assert (await phone.call("DELETE", "/api/sessions/current"))[0] == 204
            assert (await phone.call("GET", "/api/users/me"))[0] == 401


async def test_a_new_password_ends_the_other_streams(nodes: tuple[Node, Node], cast: Cast) -> None:
    """A new password ends all other sessions' streams. The stream of the session that changed it continues under a new
    token, and the old token is worth nothing."""
    here, there = nodes
    async with visiting(here.url) as browser:
        laptop = await enters_with_password(cast, browser, "ana")
        thief = await second_login(cast, laptop, browser)
        mine = await laptop.listens()
        thief.at = there.url
        theirs = await thief.listens()
        change = {"old": PASSWORD, "new": "copper-kettle-93-indigo"}
        here_too, laptop.at = Person(cast.http, there.url, "ana", laptop.id, laptop.token), here.url
        assert (await here_too.call("GET", "/api/users/me"))[0] == 200
        status, renewed = await laptop.call("PUT", "/api/users/me/password", change)
        assert status == 200
        await is_out(here_too, there, here)
        laptop.token = renewed["token"]
        for node in nodes:
            laptop.at = node.url
            assert (await laptop.call("GET", "/api/users/me"))[0] == 200
        assert (await theirs.hears_event("bye")).json() == {"reason": "revoked"}
        await is_out(thief, there, here)
        assert not mine.closed


async def test_a_stream_ends_with_its_session(nodes: tuple[Node, Node], cast: Cast) -> None:
    """A stream ends when its session expires, not at the next beat."""
    (ana,) = await cast.enters("ana")
    with psycopg.connect(cast.database_url) as connection:
        connection.execute("update sessions set expires_at = now() + interval '1 second'")
    reader = await ana.listens()
    assert (await reader.hears_event("bye")).json() == {"reason": "expired"}
    await is_out(ana, *nodes)


async def test_a_session_that_ends_before_its_stream_opens(nodes: tuple[Node, Node], cast: Cast) -> None:
    """A session ends while its stream is being looked up in the log: the stream never opens."""
    (ana,) = await cast.enters("ana")
    ahead = (await ana.listens()).cursor.partition(".")[0] + ".999"
    app = nodes[0].app
    with psycopg.connect(cast.database_url) as connection:
        (session,) = connection.execute("select id from sessions").fetchone() or ()
        connection.execute("lock table log_head")
        reader = await ana.listens(after=ahead, ready=False)
        with psycopg.connect(cast.database_url, autocommit=True) as watcher:
            asks = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%log_head%'"
            await eventually(lambda: watcher.execute(asks).rowcount > 0)
        app[IDENTITIES].forget(session)
        app[STREAMS].connections.revoke(session)
    await reader.ends()
    assert reader.status == 401


async def test_a_stream_that_opens_as_its_session_ends_is_ended(nodes: tuple[Node, Node], cast: Cast) -> None:
    """A stream that opens as its session ends is refused or ended, whichever comes first."""
    here, there = nodes
    async with visiting(here.url) as browser:
        ana = await enters_with_password(cast, browser, "ana")
        for _ in range(5):
            phone = await second_login(cast, ana, browser)
            phone.at = there.url
            reader = await phone.listens(ready=False)
            phone.at = here.url
            assert (await phone.call("DELETE", "/api/sessions/current"))[0] == 204
            await reader.ends()
            assert reader.status == 401 or reader.named("bye")[0].json() == {"reason": "revoked"}
