"""Import a large Mattermost export, kill the import several times, continue it, and check rate, memory and result.

    python -m tests.transfer.million --messages 1000000 --kills 5

The posts are shuffled, as Mattermost writes them. Each run is a `tandem import` in a process of its own, on a database
of its own. It prints a line for each run, and exits with 1 unless every message is there exactly once, in the order of
time, and the largest run needed at most 400 MB.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson
import psycopg

from chat.local.databases import apply_migrations
from chat.local.postgres import PostgresEngine

START = 1_600_000_000_000
CHANNELS, USERS = 50, 500
MEMORY_MOST = 300_000_000  # bytes
CHECK = """
select count(*), count(distinct (conversation_id, client_id, author_id)),
       count(*) filter (where created_at < previous), count(*) filter (where seq <> expected)
  from (select conversation_id, client_id, author_id, seq, created_at,
               lag(created_at) over (partition by conversation_id order by seq) as previous,
               row_number() over (partition by conversation_id order by seq) as expected
          from messages) as m
"""


def lines(messages: int) -> Iterator[bytes]:
    """Yield the lines of an export with shuffled posts; every tenth has a reply."""
    yield orjson.dumps({"type": "version", "version": 1})
    yield orjson.dumps({"type": "team", "team": {"name": "t", "display_name": "T", "type": "O"}})
    for number in range(CHANNELS):
        channel = {"team": "t", "name": f"c{number}", "display_name": f"Channel {number}", "type": "O"}
        yield orjson.dumps({"type": "channel", "channel": channel})
    memberships = [{"name": f"c{number}", "roles": "channel_user"} for number in range(CHANNELS)]
    for number in range(USERS):
        teams = [{"name": "t", "channels": memberships[number % 5 :: 5]}]
        yield orjson.dumps({"type": "user", "user": {"username": f"user{number}", "teams": teams}})
    roots = messages - messages // 11
    order = random.Random(16).sample(range(roots), roots)
    for n, number in enumerate(order):
        yield orjson.dumps({"type": "post", "post": post(number, n < messages - roots)})


def post(number: int, replied: bool) -> dict[str, object]:
    """Return a post of this number in the order of time, perhaps with a reply much later."""
    at = START + number * 1000
    said = f"message {number} of @user{number % 7}: we ship on day {number % 28}, see `build {number}` " + "word " * 12
    reply = {"user": f"user{(number * 3) % USERS}", "message": f"reply to {number}", "create_at": at + 5_000_500}
    replies = [reply] if replied else None
    fields = {"team": "t", "channel": f"c{number % CHANNELS}", "user": f"user{number % USERS}"}
    return fields | {"message": said, "create_at": at, "reactions": None, "replies": replies}


class Run(NamedTuple):
    """A run of the import: its exit code, the messages added, and the seconds before and after the first of them.

    `memory`: the most that the process held, in bytes.
    """

    code: int
    added: int
    reading: float
    writing: float
    memory: int


def run(url: str, file: Path, kill_after: int | None) -> Run:
    """Import the file. Kill the process once it has stored so many messages more."""
    environment = os.environ | {"DATABASE_URL": url}
    command = [sys.executable, "-m", "chat", "import", str(file), "--json"]
    with psycopg.connect(url, autocommit=True) as database:
        before, began, first, memory = stored(database), time.monotonic(), 0.0, 0
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                added, memory = stored(database) - before, max(memory, peak_memory(process.pid))
                first = first or (time.monotonic() if added else 0.0)
                if kill_after is not None and added >= kill_after:
                    process.send_signal(signal.SIGKILL)
                    break
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
        ended = time.monotonic()
        added, begun = stored(database) - before, first or ended
        return Run(process.returncode, added, begun - began, ended - begun, memory)


def peak_memory(pid: int) -> int:
    """Return the most memory that a process has held, in bytes; 0 if it has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def stored(database: "psycopg.Connection[tuple[int, ...]]") -> int:
    """Return the number of messages that are committed."""
    row = database.execute("select coalesce(sum(last_seq), 0) from conversations").fetchone()
    return int(row[0]) if row else 0


def check(url: str, messages: int) -> bool:
    """Print and check what is in the database."""
    with psycopg.connect(url) as database:
        row = database.execute(CHECK).fetchone()
    assert row is not None
    total, different, backwards, holes = row
    print(f"{total:,} messages, {different:,} different, {backwards:,} out of order, {holes:,} with a wrong number")
    return (total, different, backwards, holes) == (messages, messages, 0, 0)


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-million-") as folder:
        file = Path(folder) / "export.jsonl"
        with file.open("wb") as written:
            written.writelines(line + b"\n" for line in lines(asked.messages))
        print(f"{file.stat().st_size / 1e6:,.0f} MB with {asked.messages:,} messages", flush=True)
        with PostgresEngine(Path(folder) / "postgres") as engine:
            apply_migrations(engine.url)
            return import_all(engine.url, file, asked.messages, asked.kills)


def import_all(url: str, file: Path, messages: int, kills: int) -> int:
    """Import with so many kills, then to the end; return the exit code."""
    memory = 0
    for number in range(kills + 1):
        done = run(url, file, messages // (kills + 1) if number < kills else None)
        memory = max(memory, done.memory)
        rate = done.added / done.writing if done.writing else 0
        times = f"read in {done.reading:.1f} s, written in {done.writing:.1f} s, {rate:,.0f}/s"
        print(f"run {number + 1}: {done.added:,} messages, {times}, at most {memory // 1_000_000} MB", flush=True)
    return 0 if check(url, messages) and done.code == 0 and memory <= MEMORY_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
