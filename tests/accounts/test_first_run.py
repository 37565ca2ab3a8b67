"""First run: the owner's set-up link, the team, the channel of everyone who joins, and who may sign up."""

import asyncio
from typing import Any

import psycopg
import pytest

from chat import team
from chat.accounts.joining import HasOwner
from chat.api_schema.accounts import InvitePreview, SignedInModel
from chat.cli.accounts import add_account, add_setup_link
from tests.accounts.visitor import PASSWORD, Visitor, visiting
from tests.cast import Cast, Person
from tests.nodes import Node, running_node
from tests.verbs import begins, sees
from tests.waiting import eventually

TEAM = {"team": "Acme", "name": "ana", "display_name": "Ana Duarte", "password": PASSWORD}


async def new_link(database_url: str) -> str:
    """Return the token of a set-up link, made on the command line."""
    path, _ = await asyncio.to_thread(add_setup_link, database_url)
    return path.removeprefix("/setup#")


async def sets_up(visitor: Visitor, database_url: str, **more: Any) -> tuple[int, Any]:
    """Set the server up with a link of its own."""
    return await visitor.call("POST", "/api/setup", TEAM | {"token": await new_link(database_url)} | more)


async def channels(visitor: Visitor) -> dict[str, str]:
    """Return the visitor's role in each channel."""
    _, seen = await visitor.call("GET", "/api/chat/conversations")
    return {one["name"]: one["role"] for one in seen["conversations"]}


async def in_general(person: Person) -> bool:
    """Return whether the user is a member of #general."""
    return "general" in [one["name"] for one in (await sees(person))["conversations"]]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background task looks for new users ten times a second."""
    monkeypatch.setattr(team, "PAUSE_SECONDS", 0.1)


@pytest.fixture
async def owner(ana: Visitor, database_url: str) -> Visitor:
    """Ana, who has set the server up."""
    assert (await sets_up(ana, database_url))[0] == 201
    return ana


async def test_the_link_makes_the_owner(ana: Visitor, database_url: str) -> None:
    """The user of the link becomes admin of the named team and owner of #general; then the server asks no more."""
    _, before = await ana.call("GET", "/api/sign-on")
    assert (before["team"], before["setup"]) == ("", True)
    status, made = await sets_up(ana, database_url)
    assert (status, SignedInModel.model_validate(made).user.role) == (201, "admin")
    assert await channels(ana) == {"general": "owner"}
    _, after = await ana.call("GET", "/api/sign-on")
    assert (after["team"], after["setup"]) == ("Acme", False)
    with psycopg.connect(database_url) as database:
        rows = database.execute("select action from audit order by id").fetchall()
    assert [row[0] for row in rows] == ["setup.make", "account.create", "setup.use"]


async def test_a_link_works_once(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """After the set-up neither this link nor an earlier one works, and there is no other."""
    used, other = await new_link(database_url), await new_link(database_url)
    assert (await ana.call("POST", "/api/setup", TEAM | {"token": used}))[0] == 201
    for token in (used, other):
        status, problem = await mallory.call("POST", "/api/setup", TEAM | {"token": token, "name": "mallory"})
        assert (status, problem["code"]) == (403, "bad_setup")
    with pytest.raises(HasOwner):
        await new_link(database_url)


async def test_guessed_and_expired_links_do_nothing(mallory: Visitor, database_url: str) -> None:
    """Nobody becomes an admin by coming first."""
    token = await new_link(database_url)
    with psycopg.connect(database_url) as database:
        assert token not in str(database.execute("select setup_links::text from setup_links").fetchall())
        database.execute("update setup_links set expires_at = now() - interval '1 second'")
    for guess in (token, "guess", ""):
        status, problem = await mallory.call("POST", "/api/setup", TEAM | {"token": guess})
        assert (status, problem["code"]) == (403, "bad_setup")
    status, made = await mallory.signs_up("mallory")
    assert (status, made["user"]["role"]) == (201, "member")


async def test_a_name_that_is_taken_keeps_the_link(ana: Visitor, mallory: Visitor, database_url: str) -> None:
    """The set-up is one transaction: after a refused name the same link works."""
    assert (await mallory.signs_up("ana"))[0] == 201
    form = TEAM | {"token": await new_link(database_url)}
    assert (await ana.call("POST", "/api/setup", form))[0] == 409
    assert (await ana.call("POST", "/api/setup", form | {"name": "ana2"}))[0] == 201


async def test_two_nodes_make_one_owner(ana: Visitor, database_url: str, redis_url: str) -> None:
    """Of two set-ups at once, with links of their own, one succeeds."""
    tokens = [await new_link(database_url), await new_link(database_url)]
    async with running_node(database_url, redis_url, node="b1") as other, visiting(other.url) as ben:
        asked = zip((ana, ben), tokens, ("ana", "ben"), strict=True)
        answers = await asyncio.gather(
            *(one.call("POST", "/api/setup", TEAM | {"token": token, "name": name}) for one, token, name in asked)
        )
    assert sorted(status for status, _ in answers) == [201, 403]
    with psycopg.connect(database_url) as database:
        assert database.execute("select count(*) from users where role = 'admin'").fetchone() == (1,)


async def test_a_server_with_an_admin_needs_no_set_up(mallory: Visitor, cast: Cast, database_url: str) -> None:
    """A link from before the first admin is dead; a disabled admin does not count."""
    token = await new_link(database_url)
    (admin,) = await cast.enters("admin", role="admin")
    status, problem = await mallory.call("POST", "/api/setup", TEAM | {"token": token})
    assert (status, problem["code"]) == (403, "bad_setup")
    with psycopg.connect(database_url) as database:
        database.execute("update users set disabled_at = now() where id = %s", [admin.id])
    assert (await mallory.call("POST", "/api/setup", TEAM | {"token": token}))[0] == 201


async def test_everyone_who_joins_is_in_general(ana: Visitor, cast: Cast, node: Node, database_url: str) -> None:
    """Those who came before the set-up, who sign up, and who are made on the command line; bots are not."""
    (early,) = await cast.enters("early")
    assert (await sets_up(ana, database_url))[0] == 201
    await eventually(lambda: in_general(early))
    async with visiting(node.url) as ben:
        assert (await ben.signs_up("ben"))[0] == 201
        assert await channels(ben) == {"general": "member"}  # with the account, not later
        late = await asyncio.to_thread(add_account, database_url, "late", PASSWORD)
        assert (await ana.call("POST", "/api/keys", {"name": "Deploy", "scopes": ["messages:read"]}))[0] == 201

        async def names() -> set[str]:
            with psycopg.connect(database_url) as database:
                rows = database.execute("select name from users where not greeted").fetchall()
            return {str(row[0]) for row in rows}

        async def all_greeted() -> bool:
            return not await names()

        await eventually(all_greeted)
        _, seen = await ana.call("GET", "/api/chat/conversations/1/members")
        _, me = await ben.call("GET", "/api/users/me")
        members = {one["user"] for one in seen["members"]}
        assert {early.id, late, me["id"]} < members
        assert len(members) == 4


async def test_who_leaves_general_stays_out(owner: Visitor, node: Node, database_url: str) -> None:
    """A member who has left is not added again, and an archived #general takes nobody."""
    async with visiting(node.url) as ben, visiting(node.url) as chloe:
        assert (await ben.signs_up("ben"))[0] == 201
        assert (await ben.call("DELETE", "/api/chat/conversations/1/members/me"))[0] == 204
        with psycopg.connect(database_url) as database:
            database.execute("update users set greeted = false")

        async def all_greeted() -> bool:
            with psycopg.connect(database_url) as database:
                return database.execute("select from users where not greeted").fetchone() is None

        await eventually(all_greeted)
        assert await channels(ben) == {}
        assert (await owner.call("PATCH", "/api/chat/conversations/1", {"archived": True}))[0] == 200
        assert (await chloe.signs_up("chloe"))[0] == 201
        assert await channels(chloe) == {}


async def test_an_existing_general_is_adopted(ana: Visitor, cast: Cast, database_url: str) -> None:
    """A public channel of this name becomes the team's; beside a private one, another name is used."""
    (ben,) = await cast.enters("ben")
    room = await begins(ben, "channel", "General", private=True)
    assert (await sets_up(ana, database_url))[0] == 201
    assert set(await channels(ana)) == {"everyone"}
    assert (await ana.call("GET", f"/api/chat/conversations/{room}"))[0] == 404


async def test_the_topic_is_in_the_server_s_language(database_url: str, redis_url: str) -> None:
    """Members read it before anyone has changed it."""
    async with (
        running_node(database_url, redis_url, default_language="es") as node,
        visiting(node.url) as ana,
    ):
        assert (await sets_up(ana, database_url))[0] == 201
        _, seen = await ana.call("GET", "/api/chat/conversations")
        assert [one["topic"] for one in seen["conversations"]] == ["Noticias y conversación para toda la empresa"]


# Who may sign up.


async def test_the_sign_up_mode_is_changed_by_admins(owner: Visitor, mallory: Visitor, node: Node) -> None:
    """It takes effect at once, and goes before the setting SIGNUP."""
    status, team = await owner.call("PATCH", "/api/team", {"signup": "invite", "name": "Acme Two"})
    assert (status, team["signup"], team["default_signup"], team["name"]) == (200, "invite", "open", "Acme Two")
    assert (team["users"], team["email"]) == ({"active": 1, "disabled": 0}, False)
    assert team["storage"]["database"] > 1_000_000
    status, problem = await mallory.signs_up("mallory")
    assert (status, problem["code"]) == (403, "bad_invite")
    _, made = await owner.call("POST", "/api/invites", {"uses": 1})
    assert made["url"] == f"{node.url}/join#{made['invite']}"
    assert (await mallory.signs_up("mallory", invite=made["invite"]))[0] == 201
    assert (await owner.call("PATCH", "/api/team", {"signup": "closed"}))[0] == 200
    mallory.leaves()
    status, problem = await mallory.signs_up("mallory2", invite=made["invite"])
    assert (status, problem["code"]) == (403, "signup_closed")
    assert (await mallory.call("GET", "/api/sign-on"))[1]["signup"] == "closed"


@pytest.mark.parametrize("path", ["/api/team", "/api/team/figures", "/api/accounts", "/api/invites"])
async def test_members_see_none_of_it(cast: Cast, path: str) -> None:
    """Only admins see the team's settings and figures, the accounts and the invites."""
    (ben,) = await cast.enters("ben")
    status, problem = await ben.call("GET", path)
    assert (status, problem["code"]) == (403, "admins_only")


# Invites.


async def test_the_list_tells_who_came(owner: Visitor, mallory: Visitor) -> None:
    """In the mode `open` too. A revoked invite works no more, and stays in the list if someone used it."""
    _, made = await owner.call("POST", "/api/invites", {"uses": 5})
    _, unused = await owner.call("POST", "/api/invites", {"uses": 1})
    _, came = await mallory.signs_up("mallory", invite=made["invite"])
    _, page = await owner.call("GET", "/api/invites")
    rows = {one["id"]: one for one in page["invites"]}
    first = rows[made["id"]]
    assert (first["uses"], first["uses_left"], first["joined"], first["users"]) == (5, 4, 1, [came["user"]["id"]])
    for one in (made, unused):
        assert (await owner.call("DELETE", f"/api/invites/{one['id']}"))[0] == 204
    _, page = await owner.call("GET", "/api/invites")
    assert [(one["id"], one["uses"], one["uses_left"]) for one in page["invites"]] == [(made["id"], 1, 0)]
    status, problem = await mallory.call("POST", "/api/invites/preview", {"code": made["invite"]})
    assert (status, problem["code"]) == (403, "bad_invite")
    _, accounts = await owner.call("GET", "/api/accounts?q=mal")
    (_, me) = await owner.call("GET", "/api/users/me")
    assert [(one["name"], one["inviter"]) for one in accounts["accounts"]] == [("mallory", me["id"])]


async def test_a_visitor_sees_the_team_and_who_invited(owner: Visitor, mallory: Visitor) -> None:
    """Both kinds of links: of the server, and of a conversation, which is named too."""
    _, invite = await owner.call("POST", "/api/invites", {})
    status, seen = await mallory.call("POST", "/api/invites/preview", {"code": invite["invite"]})
    shown = InvitePreview.model_validate(seen)
    assert (status, shown.kind, shown.team, shown.by and shown.by.display_name) == (200, "server", "Acme", "Ana Duarte")
    _, link = await owner.call("POST", "/api/chat/conversations/1/links", {})
    _, seen = await mallory.call("POST", "/api/invites/preview", {"code": link["code"]})
    shown = InvitePreview.model_validate(seen)
    assert (shown.kind, shown.conversation and shown.conversation.name) == ("conversation", "general")
    status, problem = await mallory.call("POST", "/api/invites/preview", {"code": "guess"})
    assert (status, problem["code"]) == (403, "bad_invite")


async def test_without_a_mail_server_links_are_copied(owner: Visitor) -> None:
    """Each address gets a link for one account; an address that is none, or has lines, is refused."""
    form = {"emails": ["ben@example.com", "chloe@example.com"]}
    status, made = await owner.call("POST", "/api/invites/email", form)
    assert status == 201
    assert [(one["email"], one["uses"], one["sent"]) for one in made["invites"]] == [
        ("ben@example.com", 1, False),
        ("chloe@example.com", 1, False),
    ]
    for wrong in ("", "ben", "ben@example.com\nBcc: all@example.com", "a@b@c", "ben@example.com, c@example.com"):
        assert (await owner.call("POST", "/api/invites/email", {"emails": [wrong]}))[0] == 422


async def test_a_deleted_account_takes_its_address_along(owner: Visitor, mallory: Visitor, database_url: str) -> None:
    """The address of the invite is private data."""
    _, made = await owner.call("POST", "/api/invites/email", {"emails": ["mallory@example.com"]})
    assert (await mallory.signs_up("mallory", invite=made["invites"][0]["invite"]))[0] == 201
    assert (await mallory.call("DELETE", "/api/users/me"))[0] == 204

    async def is_forgotten() -> bool:
        with psycopg.connect(database_url) as database:
            return "mallory@" not in str(database.execute("select email from invites").fetchall())

    await eventually(is_forgotten)


# Accounts.


@pytest.fixture
async def admin(cast: Cast) -> Person:
    """An admin among 120 users."""
    (admin,) = await cast.enters("zoe", role="admin")
    with psycopg.connect(cast.database_url) as database:
        database.execute(
            "insert into users (name, display_name, password_hash, disabled_at)"
            " select 'user' || lpad(n::text, 3, '0'), 'Person ' || n, '', case when n % 40 = 0 then now() end"
            "  from generate_series(1, 120) n"
        )
    return admin


async def test_accounts_are_listed_and_found(admin: Person) -> None:
    """All are listed page by page, in the order of usernames; a search finds usernames and display names."""
    names: list[str] = []
    after = ""
    while True:
        _, page = await admin.call("GET", f"/api/accounts?after={after}")
        names += [one["name"] for one in page["accounts"]]
        if not page["next"]:
            break
        after = page["next"]
    assert names == [*(f"user{n:03}" for n in range(1, 121)), "zoe"]
    for query, found in (
        ("q=user00", [f"user00{n}" for n in range(1, 10)]),
        ("q=son 120", ["user120"]),
        ("role=admin", ["zoe"]),
        ("state=disabled", ["user040", "user080", "user120"]),
        ("state=disabled&q=user04", ["user040"]),
        ("q=nobody", []),
    ):
        _, page = await admin.call("GET", f"/api/accounts?{query}")
        assert [one["name"] for one in page["accounts"]] == found, query
    assert (await admin.call("GET", "/api/accounts?role=owner"))[0] == 422
