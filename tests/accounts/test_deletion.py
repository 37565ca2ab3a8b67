"""Deleting an account: what is deleted, what stays, who becomes owner, and that a kill half-way changes nothing."""

import asyncio
from typing import Any

import psycopg
import pytest

from chat.accounts.admin import LastAdmin
from chat.cli.accounts import delete_account
from chat.erasure import OnlyOwner, erase_step, is_left
from chat.log.append import Log, unannounced
from chat.shared.postgres import open_pool
from tests.accounts.events import events
from tests.cast import Cast, Person, casting
from tests.files.sending import sends
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("quick_erasures")


async def deletes(person: Person, messages: str = "keep") -> tuple[int, Any]:
    """Delete the user's own account."""
    return await person.call("DELETE", f"/api/users/me?messages={messages}")


def rows(database_url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(database_url) as database:
        return database.execute(query, values).fetchall()  # type: ignore[call-overload]


async def finished(database_url: str) -> None:
    """Wait until all steps are done."""
    await eventually(lambda: rows(database_url, "select from erasures") == [])


async def test_the_account_is_gone_at_once(cast: Cast, database_url: str, redis_url: str) -> None:
    """The account's streams and session end within a second, on another node too; others see "Deleted user"."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, kind="channel", name="room")
    await ben.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
    await ana.call("PUT", f"{CONVERSATIONS}/{room}/members/{ben.id}", {"role": "owner"})
    await ana.call("PATCH", "/api/users/me", {"about": "cooks", "display_name": "Ana Duarte"})
    await ana.says(room, "soup is ready")
    async with running_node(database_url, redis_url, node="a2") as other:
        bens = await ben.listens()
        here, there = await ana.listens(), None
        ana.at = other.url
        there = await ana.listens()
        status, _, headers = await ana.asks("DELETE", "/api/users/me?messages=keep")
        assert (status, headers["Clear-Site-Data"]) == (204, '"storage"')
        await eventually(lambda: here.closed and there.closed, 1)
    await eventually(lambda: bens.named("user"))
    told = bens.named("user")[-1].json()
    assert (told["id"], told["display_name"], told["name"], told["about"]) == (
        ana.id,
        "Deleted user",
        f"deleted:{ana.id}",
        "",
    )
    await eventually(lambda: [one.json()["user"] for one in bens.named("member")][-1:] == [ana.id])
    _, page = await ben.call("GET", f"{CONVERSATIONS}/{room}/messages")
    assert [(one["author"], one["body"]) for one in page["messages"]] == [(ana.id, "soup is ready")]
    _, found = await ben.call("GET", "/api/users?q=ana")
    assert found["users"] == []
    _, members = await ben.call("GET", f"{CONVERSATIONS}/{room}/members")
    assert [one["user"] for one in members["members"]] == [ben.id]


async def test_no_trace_of_the_name_is_left(cast: Cast, database_url: str) -> None:
    """Neither a table nor the log nor a node's memory has the name; settings, blocks and unsent files are gone."""
    ana, ben = await cast.enters("anastasia", "ben")
    room = await begins(ben, kind="channel", name="room")
    await ana.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
    for name in ("Anastasia Q", "Anastasia the Great"):
        await ana.call("PATCH", "/api/users/me", {"display_name": name, "about": "Anastasia cooks"})
    await ana.call("PUT", f"{CONVERSATIONS}/{room}/notifications", {"level": "nothing"})
    await ana.call("PUT", f"/api/users/{ben.id}/block")
    own = {"id": "a", "name": "Anastasia's own"}
    sidebar = {"version": 0, "sections": [{"id": "starred"}, own, {"id": "channels"}, {"id": "direct"}]}
    assert (await ana.call("PUT", "/api/chat/sidebar", sidebar))[0] == 200
    left_out = await sends(ana, b"a draft", "anastasia.txt")
    assert (await deletes(ana))[0] == 204
    await finished(database_url)
    for table in ("users", "user_names", "sessions", "log", "presence_choices", "stream_records", "memberships"):
        text = rows(database_url, f"select coalesce(string_agg(t::text, ' '), '') from {table} t")[0][0]
        frames = rows(database_url, "select coalesce(string_agg(encode(frame, 'escape'), ' '), '') from log")[0][0]
        assert "nastasia" not in text + frames, table
    for query in (
        "select from sessions where user_id = %s",
        "select from blocks where user_id = %s",
        "select from sidebars where user_id = %s",
        "select from memberships where user_id = %s and (until is null or level <> 'all')",
        "select from files where owner_id = %s and removed_at is null",
        "select from password_resets where user_id = %s",
    ):
        assert rows(database_url, query, ana.id) == [], query
    assert left_out
    reader = await ben.listens(after=f"{rows(database_url, 'select epoch from log_head')[0][0]}.0")
    await eventually(lambda: len(reader.named("user")) == 3)
    assert {one.json()["display_name"] for one in reader.named("user")} == {"Deleted user"}


async def test_messages_are_emptied_on_request(cast: Cast, database_url: str) -> None:
    """Only the user's own messages are emptied, in every conversation, with stored earlier texts; others receive the
    change."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ben, kind="channel", name="room")
    await ana.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
    pair = await begins(ana, kind="direct", members=[ben.id])
    for n in range(45):
        await ana.says(room, f"secret {n}")
    await ben.says(room, "mine")
    await ana.says(pair, "secret between us")
    await ana.call("PATCH", f"{CONVERSATIONS}/{room}/messages/1", {"body": "secret edited"})
    file = await sends(ana, b"secret", "secret.txt")
    draft = {"body": "secret in a file", "client_id": "f", "files": [file["id"]]}
    assert (await ana.call("POST", f"{CONVERSATIONS}/{room}/messages", draft))[0] == 201
    reader = await ben.listens()
    assert (await deletes(ana, "erase"))[0] == 204
    await finished(database_url)
    await eventually(lambda: len(reader.named("delete")) == 47)
    assert (await ben.call("GET", f"/api/files/{file['id']}/secret.txt"))[0] == 404
    for conversation in (room, pair):
        _, page = await ben.call("GET", f"{CONVERSATIONS}/{conversation}/messages?limit=100")
        bodies = {one["author"]: one["body"] for one in page["messages"]}
        assert bodies == {ana.id: "", ben.id: "mine"} if conversation == room else {ana.id: ""}
    everything = "select string_agg(encode(frame, 'escape'), '') from log"
    assert "secret" not in rows(database_url, everything)[0][0]
    assert rows(database_url, "select from message_edits") == []
    _, listed = await ben.call("GET", CONVERSATIONS)
    assert {one["id"] for one in listed["conversations"]} == {room, pair}


async def test_conversations_get_another_owner(cast: Cast, database_url: str) -> None:
    """The admin who has been there longest becomes owner; empty conversations are archived; without an admin the
    deletion is refused."""
    ana, ben, chloe = await cast.enters("ana", "ben", "chloe")
    led, alone, stuck = [await begins(ana, kind="channel", name=name) for name in ("led", "alone", "stuck")]
    for one in (ben, chloe):
        await one.call("PUT", f"{CONVERSATIONS}/{led}/members/me", {})
    await ana.call("PUT", f"{CONVERSATIONS}/{led}/members/{chloe.id}", {"role": "admin"})
    await ben.call("PUT", f"{CONVERSATIONS}/{stuck}/members/me", {})
    status, problem = await deletes(ana)
    assert (status, problem["code"]) == (409, "only_owner")
    assert problem["errors"] == [{"field": "conversations", "detail": f"stuck ({stuck})"}]
    assert (await ana.call("GET", "/api/users/me"))[0] == 200
    await ana.call("PUT", f"{CONVERSATIONS}/{stuck}/members/{ben.id}", {"role": "owner"})
    assert (await deletes(ana))[0] == 204
    await finished(database_url)
    owners = rows(
        database_url, "select conversation_id, user_id from memberships where role = 'owner' and until is null"
    )
    assert sorted(owners) == [(led, chloe.id), (stuck, ben.id)]
    assert rows(database_url, "select id from conversations where archived_at is not null") == [(alone,)]


async def test_the_last_admin_cannot_be_deleted(cast: Cast, database_url: str) -> None:
    """The last admin can be deleted neither in the app nor on the command line, unless forced; the audit log knows who
    did it."""
    (ada,) = await cast.enters("ada", role="admin")
    assert (await deletes(ada))[1]["code"] == "last_admin"
    with pytest.raises(LastAdmin):
        await asyncio.to_thread(delete_account, database_url, "ada", "keep", force=False)
    (eve,) = await cast.enters("eve", role="admin")
    assert (await deletes(ada))[0] == 204
    for method, path, body in [("PUT", "disabled", {"disabled": False}), ("POST", "reset", {})]:
        assert (await eve.call(method, f"/api/users/{ada.id}/{path}", body))[0] in (404, 409)
    (row,) = await events(eve, "action=account.delete")
    assert (row["actor"], row["subject"], row["detail"]) == (ada.id, ada.id, {"messages": "keep"})
    await asyncio.to_thread(delete_account, database_url, "eve", "keep", force=True)
    assert rows(database_url, "select from users where role = 'admin'") == []


async def test_the_command_line_hands_over_when_forced(cast: Cast, database_url: str) -> None:
    """The conversation goes to the member who has been there longest; no node needs to run."""
    ana, ben = await cast.enters("ana", "ben")
    room = await begins(ana, kind="channel", name="room")
    await ben.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
    with pytest.raises(OnlyOwner):
        await asyncio.to_thread(delete_account, database_url, "ana", "erase", force=False)
    await asyncio.to_thread(delete_account, database_url, "ana", "erase", force=True)
    assert rows(database_url, "select from erasures") == []
    owners = rows(database_url, "select user_id from memberships where role = 'owner' and until is null")
    assert owners == [(ben.id,)]


@pytest.mark.parametrize(("step", "left"), [("delete from erasures", False), ("update erasures set until = 1", True)])
async def test_the_command_line_waits_for_the_step_of_a_node(step: str, left: bool, database_url: str) -> None:
    """A node works on the deletion: the command waits, and then knows whether steps are left."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and strpos(query, 'erasures') > 0"
    async with casting(database_url, "") as cast, open_pool(database_url, size=2) as pool:
        (ana,) = await cast.enters("ana")
        with psycopg.connect(database_url) as node:
            node.execute("insert into erasures (user_id, messages, until) values (%s, 'keep', 0)", [ana.id])
            node.commit()
            node.execute(step)
            asked = asyncio.ensure_future(is_left(pool, ana.id))
            await eventually(lambda: rows(database_url, waiting) == [(1,)])
            assert not asked.done()
            node.commit()
            assert await asked == left


async def test_any_process_continues_after_a_kill(cast: Cast, database_url: str) -> None:
    """Each step runs in a new process that knows nothing of the others, and the result is the same."""
    (ana, ben) = await cast.enters("ana", "ben")
    room = await begins(ben, kind="channel", name="room")
    await ana.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
    for n in range(30):
        await ana.says(room, f"secret {n}")
    assert (await deletes(ana, "erase"))[0] == 204
    while True:
        async with open_pool(database_url, size=2) as pool:  # a new process each time
            if not await erase_step(Log(pool, unannounced)):
                break
    await finished(database_url)
    left = rows(database_url, "select count(*) from messages where author_id = %s and deleted_at is null", ana.id)
    assert left == [(0,)]
    deleted = rows(database_url, "select count(*) from log where kind = 'delete'")
    assert deleted == [(30,)]


async def test_a_stolen_session_cannot_delete_the_account(cast: Cast, database_url: str) -> None:
    """A session without a recent proof cannot delete the account, and an unknown mode is refused."""
    (ana,) = await cast.enters("ana")
    assert (await deletes(ana, "burn"))[0] == 422
    with psycopg.connect(database_url) as database:
        database.execute("update sessions set proved_at = now() - interval '1 hour'")
    assert (await deletes(ana))[1]["code"] == "reauthentication_required"


async def test_a_private_directory_forgets_the_name_too(database_url: str, redis_url: str, cast: Cast) -> None:
    """With DIRECTORY=members changes go to each conversation: those entries lose the name as well."""
    async with running_node(database_url, redis_url, node="a2", directory="members") as node:
        ana, ben = await cast.enters("ana", "ben")
        ana.at = ben.at = node.url
        room = await begins(ben, kind="channel", name="room")
        await ana.call("PUT", f"{CONVERSATIONS}/{room}/members/me", {})
        await ana.call("PATCH", "/api/users/me", {"display_name": "Anastasia"})
        assert (await deletes(ana))[0] == 204
        await finished(database_url)
        frames = rows(database_url, "select coalesce(string_agg(encode(frame, 'escape'), ' '), '') from log")[0][0]
        assert "Anastasia" not in frames
        reader = await ben.listens(after=f"{rows(database_url, 'select epoch from log_head')[0][0]}.0")
        await eventually(lambda: reader.named("user"))
        assert {one.json()["display_name"] for one in reader.named("user")} == {"Deleted user"}


MANY_SESSIONS = """
insert into sessions (user_id, token_hash, device, expires_at)
select %s, int4send(n), 'x', now() + interval '1 day' from generate_series(1, 1200) n
"""


async def test_more_sessions_than_one_step_deletes(cast: Cast, database_url: str) -> None:
    """All 1,200 sessions of a deleted user are deleted."""
    ana, ben = await cast.enters("ana", "ben")
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(MANY_SESSIONS, [ana.id])
    assert (await deletes(ana))[0] == 204
    await finished(database_url)
    assert rows(database_url, "select count(*) from sessions where user_id = %s", ana.id) == [(0,)]
    assert (await ben.call("GET", "/api/users/me"))[0] == 200
