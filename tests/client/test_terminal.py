"""`tandem tail` and `tandem say`, as users run them: in pipes, across kills, and with hostile texts."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chat.client.terminal import describe
from tests.cast import Cast, Person
from tests.verbs import begins, tries
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
LIMIT = 30.0  # seconds; a busy machine takes a while to start a process


class Desk(NamedTuple):
    """A channel with ana, and a bot whose key the commands use."""

    ana: Person
    ada: Person
    key: dict[str, Any]
    secret: str
    room: int
    started: list[Process]

    async def runs(self, command: str, **settings: str) -> Process:
        """Run a shell command in the project's folder, with the key in its environment."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        # SHLVL: a first bash whose input is a socket, as it is here, reads ~/.bashrc, which may change the path.
        own = {"PATH": path, "SHLVL": "2", "TANDEM_SERVER": self.ana.at, "TANDEM_KEY": self.secret}
        env = {**os.environ, **own, **settings}
        shell = ("bash", "-c", command)
        process = await asyncio.create_subprocess_exec(
            *shell, env=env, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        self.started.append(process)
        return process

    async def ends(self, command: str, typed: str = "", **settings: str) -> tuple[int, str, str]:
        """Run a command to its end; return the exit code and what it printed."""
        process = await self.runs(command, **settings)
        async with asyncio.timeout(LIMIT):
            out, err = await process.communicate(typed.encode())
        return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def desk(cast: Cast, ana: Person) -> AsyncIterator[Desk]:
    """The channel `garden`, whose owner is ana, and a bot in it. Commands that still run at the end are killed."""
    (ada,) = await cast.enters("ada", role="admin")
    scopes = ["messages:read", "messages:write", "users:read", "conversations:write"]
    status, made = await ada.call("POST", "/api/keys", {"name": "Terminal", "scopes": scopes})
    assert status == 201
    bot = Person(cast.http, ana.at, "terminal-bot", made["key"]["user"]["id"], made["secret"])
    started: list[Process] = []
    yield Desk(ana, ada, made["key"], made["secret"], await begins(ana, "channel", "garden", bot), started)
    for one in started:
        if one.returncode is None:
            os.killpg(one.pid, signal.SIGKILL)
            await one.communicate()


async def line_of(process: Process) -> str:
    """Return the next line that it prints."""
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT):
        return (await process.stdout.readline()).decode()


async def bodies_of(process: Process, count: int) -> list[str]:
    """Return the texts in the next lines, which are JSON."""
    return [json.loads(await line_of(process))["body"] for _ in range(count)]


@pytest.fixture
def tailing(desk: Desk, tmp_path: Path) -> Callable[[], Awaitable[Process]]:
    """Start `tandem tail` with a position."""

    async def start() -> Process:
        return await desk.runs(f"exec tandem tail '#Garden' --json --last 2 --position {tmp_path / 'position'}")

    return start


async def test_each_message_is_printed_once_across_kills_and_resets(
    desk: Desk, tailing: Callable[[], Awaitable[Process]], tmp_path: Path
) -> None:
    """A killed tail continues after what it printed, even if the log has dropped its position meanwhile."""
    for n in range(3):
        await desk.ana.says(desk.room, f"{n}")
    first = await tailing()
    assert await bodies_of(first, 2) == ["1", "2"]
    await desk.ana.says(desk.room, "live")
    assert await bodies_of(first, 1) == ["live"]
    position = tmp_path / "position"
    await eventually(lambda: json.loads(position.read_text())["seq"] == 4)
    first.kill()
    for n in range(250):
        await desk.ana.says(desk.room, f"away {n}")
    second = await tailing()
    assert await bodies_of(second, 250) == [f"away {n}" for n in range(250)]
    await eventually(lambda: json.loads(position.read_text())["seq"] == 254)
    second.kill()
    await second.wait()
    position.write_text(json.dumps({**json.loads(position.read_text()), "cursor": "gone.7", "seq": 3}))
    third = await tailing()
    assert await bodies_of(third, 251) == ["live", *(f"away {n}" for n in range(250))]
    await desk.ana.says(desk.room, "after the reset")
    assert await bodies_of(third, 1) == ["after the reset"]


async def test_ctrl_c_and_a_revoked_key_end_it(desk: Desk, tailing: Callable[[], Awaitable[Process]]) -> None:
    """Quietly, and with the reason."""
    await desk.ana.says(desk.room, "hello")
    for end in ("interrupt", "revoke"):
        process = await tailing()
        if end == "interrupt":
            assert await bodies_of(process, 1) == ["hello"]
            process.send_signal(signal.SIGINT)
        else:
            await desk.ana.says(desk.room, "again")
            assert await bodies_of(process, 1) == ["again"]
            assert await tries(desk.ada, "DELETE", f"/api/keys/{desk.key['id']}") == (204, "")
        async with asyncio.timeout(LIMIT):
            out, err = await process.communicate()
        told = err.decode()
        assert "Traceback" not in told
        assert (out, process.returncode) == (b"", 130 if end == "interrupt" else 1)
        assert (told == "") if end == "interrupt" else ("TANDEM_KEY" in told)


async def test_a_pipe_that_closes_ends_it_quietly(desk: Desk) -> None:
    """As it ends other programs whose reader has left: `tandem tail garden | head -1`."""
    for n in range(3):
        await desk.ana.says(desk.room, f"{n}")
    command = "tandem tail garden --last 3 | head -n 1; echo ${PIPESTATUS[0]}"
    process = await desk.runs(command)
    assert (await line_of(process)).endswith("ana: 0\n")
    assert process.stdout
    assert process.stdin

    async def ended() -> bool:
        await desk.ana.says(desk.room, "more")
        return process.stdout is None or b"141" in process.stdout._buffer  # type: ignore[attr-defined]

    await eventually(ended, LIMIT)
    process.stdin.close()
    async with asyncio.timeout(LIMIT):
        _, err = await process.communicate()
    assert err == b""


async def test_texts_of_others_cannot_steer_the_terminal(desk: Desk) -> None:
    """Escape sequences, carriage returns and reordered text are shown; a second line is not taken for a message."""
    hostile = "\x1b]0;title\x07\x1b[2J\rgone\u202eevil\u0085\n2026-01-01 00:00  ana: I resign\n\u009b31mred \tFür 👩‍🚀"
    await desk.ana.says(desk.room, hostile)
    data = {"order": 1, "note": "\x1b[31m\u2028"}
    draft = {"client_id": "d", "type": "order.shipped", "data": data}
    assert await tries(desk.ana, "POST", f"/api/chat/conversations/{desk.room}/messages", draft) == (201, "")
    for flag in ("", "--json"):
        process = await desk.runs(f"exec tandem tail garden {flag}")
        lines = [await line_of(process) for _ in range(2 if flag else 5)]
        process.kill()
        await process.communicate()
        assert all(ord(one) >= 32 and not 127 <= ord(one) < 160 for line in lines for one in line.rstrip("\n"))
        assert not {"\u202e", "\u2028", "\u0085"} & {*"".join(lines)}
        if flag:
            assert [json.loads(line).get("data") for line in lines] == [None, data]
        else:
            assert lines[0][18:] == "ana: \\x1b]0;title\\x07\\x1b[2J\\rgone\\u202eevil\\x85\n"
            assert lines[1] == "    2026-01-01 00:00  ana: I resign\n"
            assert lines[2] == "    \\x9b31mred     Für 👩‍🚀\n"
            assert lines[3][18:] == "ana: [order.shipped]\n"
            assert lines[4] == '    {"order":1,"note":"\\u001b[31m\\u2028"}\n'


def test_a_deleted_message_and_files_are_described() -> None:
    """Names of files are foreign texts as well."""
    message = {"created_at": "2026-11-30T09:30:00.000Z", "body": "", "deleted": True}
    assert describe(message, "ana").endswith("  ana: (deleted)")
    message = {**message, "deleted": False, "body": "look", "files": [{"name": "a\x1bb.pdf"}]}
    assert describe(message, "an\na").split("\n")[0].endswith("  an\\na: look")
    assert describe(message, "ana").endswith("\n    [file] a\\x1bb.pdf")


async def test_say_posts_an_argument_or_standard_input(desk: Desk) -> None:
    """The number is printed when the message is stored; the same client id is posted once."""
    reader = await desk.ana.listens()
    assert await desk.ends(f"tandem say {desk.room} hello") == (0, "1\n", "")
    assert await desk.ends("printf 'two\\nlines\\n' | tandem say garden --client-id once") == (0, "2\n", "")
    assert await desk.ends("echo other | tandem say garden --client-id once") == (0, "2\n", "")
    code, out, _ = await desk.ends("tandem say garden --type order.paid --data '{\"order\": 7}' --json")
    said = json.loads(out)
    assert (code, said["body"], said["type"], said["data"]) == (0, "", "order.paid", {"order": 7})
    await reader.hears("hello", "two\nlines", "")


async def test_say_explains_what_is_wrong(desk: Desk) -> None:
    """Each error is a line that says what to do, without a traceback."""
    cases = {
        "tandem say nowhere hi": "garden (",
        "tandem say garden '' </dev/null": "must not be empty",
        "tandem say garden --data '{' x": "--data is not JSON",
        "tandem say garden --data '[]' x": "must be an object",
        "head -c 20000 /dev/zero | tr '\\0' x | tandem say garden": "16,000",
        "TANDEM_KEY=tk_wrong tandem say garden x": "TANDEM_KEY",
        "tandem say garden x --server http://127.0.0.1:9 --seconds 1": "",
    }
    for command, expected in cases.items():
        code, out, err = await desk.ends(command)
        assert (code, out) == (1, ""), command
        assert expected in err, command
        assert "Traceback" not in err, command


async def test_the_order_example(desk: Desk) -> None:
    """It posts each event once, however often it runs, and reads back those of one type."""
    for _ in range(2):
        code, out, err = await desk.ends("python deploy/examples/order-events/order_events.py")
        assert (code, out, err) == (0, "order 4711 was shipped with DHL\n", "")
    _, found = await desk.ana.call("GET", "/api/chat/channels?q=orders")
    (channel,) = found["channels"]
    _, page = await desk.ana.call("GET", f"/api/chat/conversations/{channel['id']}/messages")
    assert [one["type"] for one in page["messages"]] == ["order.placed", "order.paid", "order.shipped"]
    assert page["messages"][0]["data"]["total"] == {"amount": "39.90", "currency": "EUR"}


async def test_the_terminal_example(desk: Desk) -> None:
    """It prints what arrives and posts what is typed, until its input ends."""
    process = await desk.runs("exec deploy/examples/terminal/chat.sh garden", TANDEM="tandem")
    await desk.ana.says(desk.room, "anyone here?")
    assert (await line_of(process)).endswith("ana: anyone here?\n")
    assert process.stdin
    process.stdin.write(b"me\n")
    assert (await line_of(process)).endswith("terminal-bot: me\n")
    process.stdin.close()
    async with asyncio.timeout(LIMIT):
        out, err = await process.communicate()
    assert (out, err) == (b"", b"")


def test_examples_are_short() -> None:
    """At most forty lines each."""
    files = [path for path in (ROOT / "deploy" / "examples").rglob("*") if path.suffix in (".py", ".sh")]
    assert len(files) >= 2
    assert {path.name: lines for path in files if (lines := len(path.read_text().splitlines())) > 40} == {}
