"""Security events: log-ins, failures and admin actions are recorded with their source."""

import asyncio
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from chat.shared.audit import WINDOW_SECONDS, WINDOWS_MOST, Actor, SecurityEvents
from chat.shared.postgres import open_pool
from chat.shared.transport.ws_frames import PING
from chat.shared.web import EVENTS
from tests.accounts.events import events, finds
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.raw_socket import SOCKETS, masked, opened
from tests.verbs import CONVERSATIONS, begins
from tests.waiting import eventually

HERE = "127.0.0.1"


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """An admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def test_a_user_from_sign_up_to_log_out(ada: Person, ana: Visitor) -> None:
    """Each step from sign-up to log-out has its user, address, session and device."""
    _, came = await ana.signs_up("ana", device="Phone")
    user, first = came["user"]["id"], came["session"]["id"]
    await ana.call("PUT", "/api/users/me/password", {"old": PASSWORD, "new": "copper-kettle-93-indigo"})
    await ana.call("DELETE", "/api/sessions/current")
    _, back = await ana.logs_in("ana", "copper-kettle-93-indigo", device="Desk")
    rows = [row for row in await events(ada, f"user={user}") if row["action"] != "audit.read"]
    assert [(row["action"], row["actor"], row["address"], row["session"], row["device"]) for row in rows] == [
        ("login.ok", user, HERE, back["session"]["id"], "Desk"),
        ("login.end", user, HERE, first, "Phone"),
        ("account.password", user, HERE, first, "Phone"),
        ("account.create", user, HERE, first, "Phone"),
    ]


async def test_failed_log_ins_are_counted(ada: Person, ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """A failure with an account is recorded about it. Without one there is a keyed hash of the name, which may be a
    password."""
    _, came = await ana.signs_up("ana")
    secret = "my-secret-password-in-the-wrong-field"
    for _ in range(5):
        await mallory.logs_in("ana", "wrong-wrong-wrong")
        await mallory.logs_in(secret, "wrong-wrong-wrong")
    of_nobody, of_ana = await finds(ada, "login.failed", 2)
    assert (of_ana["subject"], of_ana["actor"], of_ana["address"]) == (came["user"]["id"], None, HERE)
    assert of_ana["device"].startswith("Python")
    assert len(of_nobody["detail"]["name_hash"]) == 16
    assert of_nobody["subject"] is None
    with psycopg.connect(database_url) as database:
        found = database.execute("select from audit a where a::text ilike %s", [f"%{secret[3:20]}%"]).fetchone()
    assert found is None


async def test_refused_admin_calls(ada: Person, cast: Cast) -> None:
    """A refused admin call of any route is recorded with user, session and route."""
    (mallory,) = await cast.enters("mallory")
    assert (await mallory.call("GET", "/api/audit"))[0] == 403
    assert (await mallory.call("PUT", f"/api/users/{ada.id}/disabled", {"disabled": True}))[0] == 403
    rows = await finds(ada, "admin.refused", 2)
    assert [(row["actor"], row["detail"]["route"], row["address"]) for row in rows] == [
        (mallory.id, "PUT /api/users/{user}/disabled", HERE),
        (mallory.id, "GET /api/audit", HERE),
    ]
    assert all(row["session"] and row["device"] == "test" for row in rows)


async def test_limits_hit(database_url: str, redis_url: str, cast: Cast) -> None:
    """A user who hits the limit of a route is recorded once a minute, with a count."""
    async with running_node(database_url, redis_url, rate_limits=True, rate_search="1/minute", node="a2") as strict:
        ada, mallory = [*await cast.enters("ada", role="admin"), *await cast.enters("mallory")]
        ada.at = mallory.at = strict.url
        for _ in range(9):
            await mallory.call("GET", "/api/users?q=a")
        (row,) = await finds(ada, "limit.hit")
        assert (row["actor"], row["detail"], row["times"]) == (mallory.id, {"route": "GET /api/users"}, 1)
        strict.app[EVENTS].close_windows(all_of_them=True)
        rows = await finds(ada, "limit.hit", 2)
        assert [row["times"] for row in rows] == [7, 1]


@pytest.mark.parametrize("path", SOCKETS)
async def test_limits_hit_on_an_open_socket(database_url: str, redis_url: str, cast: Cast, path: str) -> None:
    """A user whose socket is closed for too many frames is recorded too."""
    async with running_node(database_url, redis_url, rate_limits=True, node="a2") as strict:
        ada, mallory = [*await cast.enters("ada", role="admin"), *await cast.enters("mallory")]
        ada.at = mallory.at = strict.url
        async with opened(mallory, path) as socket:
            socket.says(masked(b"", PING) * 1_000)
            assert await socket.closes() == 4429
        (row,) = await finds(ada, "limit.hit")
        assert (row["actor"], row["detail"], row["address"]) == (mallory.id, {"route": f"GET {path}"}, HERE)
        assert row["session"] is not None


async def test_a_flood_becomes_few_rows(database_url: str) -> None:
    """Ten thousand failures from as many addresses and names take bounded memory and bounded rows a minute."""
    now = 0.0
    async with open_pool(database_url, size=2) as pool:
        noting = SecurityEvents(pool, lambda: now)
        noting.note(Actor(7, HERE), "limit.hit", route="GET /")
        for n in range(10_000):
            noting.note(Actor(None, f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"), "login.failed", typed=f"name{n}")
        assert noting.waiting() == WINDOWS_MOST + 1
        await noting.flush()
        now += WINDOW_SECONDS + 1
        noting.close_windows()
        await noting.flush()
        async with pool.connection() as connection:
            rows = await (
                await connection.execute("select action, sum(times), count(*) from audit group by 1 order by 1")
            ).fetchall()
    assert rows == [("limit.hit", 1, 1), ("login.failed", 10_000, WINDOWS_MOST + 1)]


async def test_no_event_is_lost_while_the_database_is_unavailable(own_postgres: Any) -> None:
    """While the database is unavailable events wait, up to a limit, and are written later."""
    async with open_pool(own_postgres.url, size=2) as pool:
        noting = SecurityEvents(pool)
        await asyncio.to_thread(own_postgres.stop)
        noting.note(Actor(None, HERE), "login.failed", typed="ana")
        writing = asyncio.ensure_future(noting.run())
        await asyncio.to_thread(own_postgres.start)
        await eventually(lambda: noting.waiting() == 0, 30)
        writing.cancel()
        async with pool.connection() as connection:
            row = await (await connection.execute("select action, host(address) from audit")).fetchone()
    assert row == ("login.failed", HERE)


async def test_reading_the_audit_is_recorded(ada: Person, cast: Cast) -> None:
    """Reading the audit log, and reports, is recorded with the subject."""
    await events(ada, f"user={ada.id}")
    row = (await finds(ada, "audit.read"))[-1]
    assert (row["actor"], row["subject"], row["address"]) == (ada.id, ada.id, HERE)
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, kind="channel", name="room")
    await ana.says(room, "nonsense")
    await ben.call("POST", f"{CONVERSATIONS}/{room}/messages/1/reports", {"reason": "rude"})
    for reader in (ben, ana, ada):
        assert (await reader.call("GET", "/api/chat/reports"))[0] == 200
    assert [row["actor"] for row in await finds(ada, "report.read", 2)] == [ada.id, ana.id]


async def test_actions_of_owners_have_an_address(ada: Person, cast: Cast) -> None:
    """Eight kinds of changes to a conversation, from roles to reports, are recorded with an address."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    room = await begins(ana, kind="channel", name="room")
    at = f"{CONVERSATIONS}/{room}"
    for one in (ben, chloe):
        assert (await one.call("PUT", f"{at}/members/me", {}))[0] == 201
    await ben.says(room, "nonsense")
    await chloe.call("POST", f"{at}/messages/1/reports", {"reason": "rude"})
    _, reports = await ana.call("GET", "/api/chat/reports")
    link = (await ana.call("POST", f"{at}/links", {}))[1]["id"]
    for method, path, body in [
        ("PATCH", f"/api/chat/reports/{reports['reports'][0]['id']}", {"outcome": "dismissed", "note": ""}),
        ("DELETE", f"{at}/links/{link}", None),
        ("PUT", f"{at}/members/{chloe.id}", {"role": "admin"}),
        ("DELETE", f"{at}/members/{chloe.id}", None),
        ("PUT", f"{at}/bans/{ben.id}", {"reason": "nonsense"}),
        ("DELETE", f"{at}/bans/{ben.id}", None),
        ("PATCH", at, {"topic": "sense"}),
    ]:
        status, answer = await ana.call(method, path, body)
        assert status in (200, 201, 204), (path, answer)
    rows = [row for row in await events(ada, f"user={ana.id}") if row["action"].split(".")[0] not in ("audit", "login")]
    kinds = {"report.resolve", "link.make", "link.withdraw", "member.role", "member.remove", "member.ban"}
    assert {row["action"] for row in rows} >= kinds | {"member.unban", "conversation.change"}
    assert all(row["address"] == HERE and row["session"] for row in rows)


async def test_a_kept_connection_forgets_its_last_user(ada: Person, node: Node) -> None:
    """Two users share one connection, one after the other: each row has the right user."""
    async with visiting(node.url) as proxy:
        users = []
        for name in ("ana", "ben"):
            _, came = await proxy.signs_up(name)
            users.append((came["user"]["id"], came["session"]["id"]))
        proxy.http.cookie_jar.clear()
        await proxy.logs_in("nobody", "wrong-wrong-wrong")
    created = await events(ada, "action=account.create")
    assert [(row["actor"], row["session"]) for row in reversed(created)] == users
    (failed,) = await finds(ada, "login.failed")
    assert (failed["actor"], failed["session"]) == (None, None)


async def test_filters(ada: Person, ana: Visitor) -> None:
    """Filters by user, kind and time work; an invalid time is refused."""
    _, came = await ana.signs_up("ana")
    user = came["user"]["id"]
    assert [row["action"] for row in await events(ada, f"user={user}&action=account")] == ["account.create"]
    assert await events(ada, f"user={user}&until=2020-01-01T00:00:00Z") == []
    assert await events(ada, "since=2200-01-01") == []
    assert len(await events(ada, f"user={user}&since=2020-01-01&until=2200-01-01")) >= 1
    assert len(await events(ada, "action=account&since=2020-01-01&until=2200-01-01")) == 1
    status, problem = await ada.call("GET", "/api/audit?since=yesterday")
    assert (status, problem["errors"][0]["field"]) == (422, "since")


async def test_own_activity(ada: Person, ana: Visitor, mallory: Visitor) -> None:
    """Users see what happened to their account, with addresses of failed log-ins, but no admin's address."""
    _, came = await ana.signs_up("ana")
    await mallory.logs_in("ana", "wrong-wrong-wrong")
    await finds(ada, "login.failed")
    await ada.call("GET", f"/api/users/{came['user']['id']}/sessions")
    _, other = await mallory.logs_in("ana")
    await ada.call("DELETE", f"/api/users/{came['user']['id']}/sessions/{other['session']['id']}")
    status, page = await ana.call("GET", "/api/users/me/activity")
    assert status == 200
    assert [(row["action"], row["own"], row["address"]) for row in page["rows"]] == [
        ("login.end", False, None),
        ("login.ok", True, HERE),
        ("login.failed", None, HERE),
        ("account.create", True, HERE),
    ]
    _, first = await ana.call("GET", "/api/users/me/activity?limit=3")
    _, rest = await ana.call("GET", f"/api/users/me/activity?after={first['next']}")
    assert [len(first["rows"]), len(rest["rows"]), rest["next"]] == [3, 1, None]


async def test_events_and_requests_in_the_log(database_url: str, redis_url: str, cast: Cast) -> None:
    """Each event is a structured log line, to be forwarded; request lines have address and user."""
    async with running_node(database_url, redis_url, log_requests="all", node="a2") as node:
        (ana,) = await cast.enters("ana")
        ana.at = node.url
        with capture_logs() as lines:
            await ana.call("GET", "/api/audit")
        (event,) = [line for line in lines if line["event"] == "security event"]
        assert (event["action"], event["user"], event["address"]) == ("admin.refused", ana.id, HERE)
        (line,) = [line for line in lines if line["event"] == "request"]
        assert (line["user"], line["address"], line["status"]) == (ana.id, HERE, 403)
