"""Re-authentication: a stolen session is not enough for a sensitive change."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person
from tests.nodes import Node, running_node

PROOF = "/api/sessions/current/proof"
INVITE = ("POST", "/api/invites", {})


def forgets_proofs(database_url: str) -> None:
    """Let more than ten minutes pass since every log-in."""
    with psycopg.connect(database_url) as connection:
        connection.execute("update sessions set proved_at = now() - interval '601 seconds'")


@pytest.fixture
async def root(node: Node, database_url: str) -> AsyncIterator[Visitor]:
    """An admin with a browser and a password."""
    async with visiting(node.url) as root:
        await root.signs_up("root")
        with psycopg.connect(database_url) as connection:
            connection.execute("update users set role = 'admin'")
        await root.logs_in("root")
        yield root


async def test_a_log_in_is_a_proof_for_ten_minutes(root: Visitor, database_url: str) -> None:
    """After ten minutes the password is needed again, for another ten."""
    assert (await root.call(*INVITE))[0] == 201
    assert 590 <= (await root.call("GET", PROOF))[1]["seconds_left"] <= 600
    forgets_proofs(database_url)
    status, problem = await root.call(*INVITE)
    assert (status, problem["code"]) == (403, "reauthentication_required")
    assert (await root.call("GET", PROOF))[1] == {"seconds_left": 0, "methods": ["password"]}
    status, problem = await root.call("POST", PROOF, {"password": "another-password"})
    assert (status, problem["code"]) == (403, "wrong_password")
    assert (await root.call(*INVITE))[0] == 403
    assert (await root.call("POST", PROOF, {"password": PASSWORD}))[0] == 204
    assert (await root.call(*INVITE))[0] == 201


async def test_every_sensitive_change_asks(root: Visitor, database_url: str, cast: Cast) -> None:
    """Each sensitive change is refused without a recent proof, and nothing has changed."""
    (ben,) = await cast.enters("ben")
    forgets_proofs(database_url)
    for method, path, body in sensitive(ben):
        status, problem = await root.call(method, path, body)
        assert (path, status, problem["code"]) == (path, 403, "reauthentication_required")
    assert (await ben.call("GET", "/api/users/me"))[0] == 200


def sensitive(other: Person) -> list[tuple[str, str, object]]:
    """Return the calls that need a recent proof."""
    return [
        INVITE,
        ("GET", "/api/users/me/export", None),
        ("DELETE", "/api/sessions/others", None),
        ("DELETE", "/api/sessions/999999", None),
        ("PUT", f"/api/users/{other.id}/disabled", {"disabled": True}),
        ("DELETE", f"/api/users/{other.id}/sessions/all", None),
    ]


async def test_a_proof_counts_on_every_node_and_for_its_session_only(
    root: Visitor, database_url: str, redis_url: str
) -> None:
    """A proof given on one node counts on the others at once; another session of the user needs its own."""
    async with running_node(database_url, redis_url, node="b2") as other, visiting(other.url) as there:
        _, came = await there.logs_in("root")
        there.headers["Authorization"] = f"Bearer {came['token']}"
        forgets_proofs(database_url)
        assert (await there.call(*INVITE))[0] == 403
        there.at = root.at
        assert (await there.call("POST", PROOF, {"password": PASSWORD}))[0] == 204
        there.at = other.url
        assert (await there.call(*INVITE))[0] == 201
        assert (await root.call(*INVITE))[0] == 403


async def test_sessions_from_before_have_no_proof(root: Visitor, database_url: str) -> None:
    """The migration gives no session a proof."""
    with psycopg.connect(database_url) as connection:
        connection.execute("update sessions set proved_at = null")
    assert (await root.call(*INVITE))[1]["code"] == "reauthentication_required"


async def test_logging_out_asks_for_nothing(root: Visitor, database_url: str) -> None:
    """Logging out needs no proof."""
    forgets_proofs(database_url)
    assert (await root.call("DELETE", "/api/sessions/current"))[0] == 204


async def test_guessing_the_password_of_an_open_session_is_slowed_down(database_url: str, redis_url: str) -> None:
    """Guessing the password of an open session is limited as at log-in."""
    async with running_node(database_url, redis_url, rate_limits=True) as node, visiting(node.url) as mallory:
        await mallory.signs_up("ana")
        statuses = [(await mallory.call("POST", PROOF, {"password": f"guess-{n}"}))[0] for n in range(6)]
        assert statuses == [403] * 5 + [429]
