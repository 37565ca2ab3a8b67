"""An admin imports a file in the app: check, choice, progress, stop, continuation, undo."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chat.api_schema.dashboard import Imports, UndoPreview
from chat.transfer.supervisor import make_folder, spawn
from tests.cast import Cast, Person, casting
from tests.files.sending import picture
from tests.nodes import running_node
from tests.transfer.files import big, imports, write_lines
from tests.transfer.in_app import (
    IMPORTS,
    gives,
    reaches,
    starts,
    tries_import_upload,
    undoes,
    uploads,
)
from tests.transfer.slack_export import slack_files, write_slack
from tests.verbs import pages, tries
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)  # each step starts a process, which takes long on a busy machine
MESSAGES = "select count(*) from messages"


@pytest.fixture
async def ada(cast: Cast) -> Person:
    """Ada, an admin."""
    (ada,) = await cast.enters("ada", role="admin")
    return ada


async def count(database_url: str, query: str, *fields: Any) -> int:
    """Return a number from the database."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        row = await (await connection.execute(query, fields)).fetchone()
        assert row is not None
        return int(row[0])


HOLD_MEMBERS = """
create function hold() returns trigger language plpgsql as $$
begin perform pg_advisory_xact_lock(42); return new; end $$;
create trigger hold before insert on memberships for each row execute function hold()
"""


@asynccontextmanager
async def holding_members(database_url: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Let no import finish during the block: members come last, and wait. Yield a function that counts messages."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(HOLD_MEMBERS)
        await connection.execute("select pg_advisory_lock(42)")

        async def count_messages() -> int:
            row = await (await connection.execute("select count(*) from messages")).fetchone()
            return int(row[0]) if row else 0

        yield count_messages


def workers() -> list[int]:
    """Return the processes of this test's nodes that work on an import."""
    pids = []
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(OSError):
            for pid in (task / "children").read_text().split():
                pids += [int(pid)] if b"chat.transfer.worker" in Path(f"/proc/{pid}/cmdline").read_bytes() else []
    return pids


async def channels(person: Person) -> dict[str, int]:
    """Return the public channels by name."""
    _, found = await person.call("GET", "/api/chat/channels")
    return {one["name"]: one["id"] for one in found["channels"]}


async def test_a_slack_archive_from_upload_to_undo(ada: Person, database_url: str, tmp_path: Path) -> None:
    """The check tells what would come, the import brings it, and after the undo all of it is gone."""
    before = await count(database_url, "select count(*) from users")
    emoji: dict[str, Any] = {"emoji.json": {"acme": "https://emoji.example/acme.png"}, "emojis/acme.png": picture()}
    job = await gives(ada, write_slack(tmp_path / "farm.zip", slack_files() | emoji))
    plan = job["plan"]
    assert (job["state"], plan["source"], job["can"]) == ("ready", "Slack", ["start", "remove"])
    assert {one["name"] for one in plan["conversations"]} >= {"garden", "kitchen"}
    assert plan["conversations"][0]["messages"] == max(one["messages"] for one in plan["conversations"])
    assert {one["what"] for one in plan["skipped"]}
    assert await channels(ada) == {}

    assert (await starts(ada, job["id"]))["state"] == "running"
    done = await reaches(ada, job["id"], "done")
    assert done["result"]["new"] == plan["found"]["messages"] > 10
    rooms = await channels(ada)
    assert "garden" in rooms
    assert (await pages(ada, rooms["garden"], "limit=50"))["messages"]

    _, preview = await ada.call("GET", f"{IMPORTS}/{job['id']}/undo")
    UndoPreview.model_validate(preview)
    assert preview["kept"] == []
    assert preview["messages"] == done["result"]["new"]
    assert await count(database_url, "select count(*) from custom_emoji where name = 'acme'") == 1
    undone = await undoes(ada, job["id"])
    assert undone["messages"] == done["result"]["new"]
    assert (undone["kept_conversations"], undone["kept_accounts"]) == (0, 0)
    assert await channels(ada) == {}
    assert await tries(ada, "GET", f"/api/chat/conversations/{rooms['garden']}") == (404, "not_found")
    tables = "messages reactions message_edits mentions thread_follows imports import_parts custom_emoji"
    for table in tables.split():
        assert await count(database_url, f"select count(*) from {table}") == 0, table
    assert await count(database_url, "select count(*) from users") == before
    actions = "select count(*) from audit where action = any(%s) and actor = %s"
    names = ["import.upload", "import.start", "import.done", "import.undo", "import.undone"]
    assert await count(database_url, actions, names, ada.id) == len(names)

    await check_choice(ada, database_url, tmp_path / "farm.zip")


async def check_choice(ada: Person, database_url: str, file: Path) -> None:
    """Import an archive again that was undone. Only the chosen conversation comes, with the users who occur in it."""
    job = await gives(ada, write_slack(file))
    ((key, messages),) = [
        (one["key"], one["messages"]) for one in job["plan"]["conversations"] if one["name"] == "kitchen"
    ]
    await starts(ada, job["id"], key)
    done = await reaches(ada, job["id"], "done")
    assert (done["chosen"], done["result"]["new"]) == ([key], messages)
    assert [*(await channels(ada))] == ["kitchen"]
    assert await count(database_url, "select count(*) from users where name = 'chloe'") == 0


async def test_words_written_since_stay(ada: Person, cast: Cast, tmp_path: Path) -> None:
    """A conversation in which someone has written since stays, with deleted messages where imported ones were.

    A member with an open stream is told to have left another one, which the undo removes.
    """
    (ben,) = await cast.enters("ben")
    job = await gives(ada, write_slack(tmp_path / "farm.zip"))
    await starts(ada, job["id"])
    done = await reaches(ada, job["id"], "done")
    garden = (await channels(ben))["garden"]
    assert (await ben.call("PUT", f"/api/chat/conversations/{garden}/members/me"))[0] in (200, 201, 204)
    await ben.says(garden, "what a harvest")
    kitchen = (await channels(ben))["kitchen"]
    await ben.call("PUT", f"/api/chat/conversations/{kitchen}/members/me")
    reader = await ben.listens()
    _, preview = await ada.call("GET", f"{IMPORTS}/{job['id']}/undo")
    assert [(one["name"], one["messages"]) for one in preview["kept"]] == [("garden", 1)]

    undone = await undoes(ada, job["id"])
    assert (undone["messages"], undone["kept_conversations"]) == (done["result"]["new"], 1)
    assert undone["kept_accounts"] > 0
    left = (await pages(ben, garden, "limit=200"))["messages"]
    assert [one["body"] for one in left if not one.get("deleted")] == ["what a harvest"]
    assert all(one["body"] == "" for one in left if one.get("deleted"))
    assert [*(await channels(ben))] == ["garden"]
    await eventually(lambda: [one for one in reader.named("member") if one.json()["conversation"] == kitchen], 30)


async def test_an_import_is_killed_stopped_and_continued(ada: Person, database_url: str, tmp_path: Path) -> None:
    """After `kill -9` another process continues. After a stop, what is imported stays, and the continuation brings the
    rest. Nothing comes twice."""
    job = await gives(ada, write_lines(tmp_path / "big.jsonl", *big(3_000)))
    async with holding_members(database_url) as count_messages:
        await starts(ada, job["id"])
        await eventually(count_messages, 60)
        (killed,) = await eventually(workers, 60)
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: workers() not in ([], [killed]), 60)
        status, stopped = await ada.call("POST", f"{IMPORTS}/{job['id']}/stop")
        assert (status, stopped["state"], stopped["can"]) == (200, "stopped", ["start", "undo"])
        await eventually(lambda: not workers(), 60)
    assert 0 < await count(database_url, MESSAGES) < 3_000
    await starts(ada, job["id"])
    done = await reaches(ada, job["id"], "done")
    assert done["result"]["known"] > 0
    assert done["result"]["new"] + done["result"]["known"] == 3_000
    assert await count(database_url, MESSAGES) == 3_000
    assert await count(database_url, "select count(distinct client_id) from messages") == 3_000
    assert (await undoes(ada, job["id"]))["messages"] == 3_000
    assert await count(database_url, MESSAGES) == 0


async def test_a_file_that_is_no_chat(ada: Person, tmp_path: Path) -> None:
    """The job says what can be imported, by the name that the admin knows. It can be removed, and its file with it."""
    path = tmp_path / "holiday.txt"
    path.write_bytes(b"dear diary\n")
    job = await gives(ada, path)
    assert (job["state"], job["can"]) == ("failed", ["remove"])
    assert job["problem"].startswith("holiday.txt cannot be imported.")
    assert await tries(ada, "DELETE", f"{IMPORTS}/{job['id']}") == (204, "")
    assert await tries(ada, "GET", f"{IMPORTS}/{job['id']}") == (404, "not_found")


async def test_a_process_may_start_slowly(
    ada: Person, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that renews its claim for the first time after 30 s is not killed."""
    started = []

    async def spawn_late() -> asyncio.subprocess.Process:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute("update import_jobs set lease_until = lease_until - interval '30 s'")
        started.append(await spawn())
        return started[-1]

    monkeypatch.setattr("chat.transfer.supervisor.spawn", spawn_late)
    monkeypatch.setattr("chat.transfer.supervisor.HOLD_SECONDS", 0.01)  # it looks often, before the process is ready
    job = await gives(ada, write_slack(tmp_path / "farm.zip"))
    assert (job["state"], len(started)) == ("ready", 1)


async def test_only_admins_import(ada: Person, cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Members cannot import. A start and an undo need a recent proof, and a post cannot carry the file."""
    (mallory,) = await cast.enters("mallory")
    assert (await tries_import_upload(mallory, "x.zip", 100))[1]["code"] == "admins_only"
    file = await uploads(ada, write_slack(tmp_path / "farm.zip"), pieces=3)
    assert await tries(mallory, "POST", IMPORTS, {"file": file}) == (403, "admins_only")
    assert await tries(mallory, "GET", IMPORTS) == (403, "admins_only")
    room = await cast.share(ada)
    draft = {"body": "look", "client_id": "1", "files": [file]}
    assert (await tries(ada, "POST", f"/api/chat/conversations/{room}/messages", draft))[0] == 422
    _, job = await ada.call("POST", IMPORTS, {"file": file})
    await reaches(ada, job["id"], "ready")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        old = "update sessions set proved_at = now() - interval '1 day' where user_id = %s"
        await connection.execute(old, [ada.id])
    for action in ("start", "undo"):
        assert (await tries(ada, "POST", f"{IMPORTS}/{job['id']}/{action}", {}))[1] == "reauthentication_required"


async def test_another_node_continues(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """A node that stops gives its import back, and another one continues it. A dead node's process ends with it."""
    async with running_node(database_url, redis_url, node="b1", files_url=f"file://{tmp_path}/files") as other:
        async with (
            running_node(database_url, redis_url, files_url=f"file://{tmp_path}/files") as node,
            casting(database_url, node.url) as cast,
        ):
            (ada,) = await cast.enters("ada", role="admin")
            job = await gives(ada, write_lines(tmp_path / "big.jsonl", *big(3_000)))
            await starts(ada, job["id"])
            await eventually(
                partial(count, database_url, "select count(*) from import_jobs where node is not null"), 30
            )
        async with casting(database_url, other.url) as cast:
            (ben,) = await cast.enters("ben", role="admin")
            assert (await reaches(ben, job["id"], "done"))["result"]["found"]["messages"] == 3_000
    assert not workers()


async def test_only_folders_of_ended_nodes_are_removed(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Two nodes of one name, of different deployments, may share a machine: neither removes the other's files."""
    left = tmp_path / "tandem-import-a1-left"
    left.mkdir()
    folder, lock = make_folder("tandem-import-a1-", tmp_path)
    async with running_node(database_url, redis_url, node="a1", import_folder=str(tmp_path)):
        await eventually(lambda: not left.exists(), 30)
        assert folder.exists()
    os.close(lock)


async def test_imports_of_the_command_line_can_be_undone(ada: Person, database_url: str, tmp_path: Path) -> None:
    """They appear in the list, without an admin."""
    assert await imports(database_url, write_slack(tmp_path / "farm.zip")) == 0
    _, page = await ada.call("GET", IMPORTS)
    Imports.model_validate(page)
    (job,) = page["imports"]
    assert (job["name"], job["state"], job["source"]) == ("farm.zip", "done", "Slack")
    assert (job["can"], "by" in job) == (["undo"], False)
    assert (await undoes(ada, job["id"]))["messages"] > 10
    assert await channels(ada) == {}
