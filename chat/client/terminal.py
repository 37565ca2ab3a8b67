"""A conversation in a terminal: `tandem tail` prints its messages, `tandem say` posts one. Both use an API key.

A message's text cannot steer the terminal, nor look like the line of another message.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

from chat.client.client import ApiProblem, Client
from chat.shared.operator_errors import OperatorError

C = "/api/chat/conversations"
PAGE = 200
TEXT_MOST = 16_000
CLOSED_PIPE = 128 + 13  # the exit code of a program that the closed pipe kills
# Control characters, line ends of other kinds, and what reorders or hides text. Joiners stay: emoji consist of them.
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
HINTS = {
    "unauthenticated": "Set TANDEM_KEY to the secret of an API key, which `tandem key add` prints.",
    "missing_scope": "`tail` needs a key with messages:read, `say` one with messages:write.",
    "unreachable": "Check TANDEM_SERVER or --server.",
}
Message = dict[str, Any]


class TerminalError(OperatorError):
    """The server did not do what the command asked for."""


class SavedPosition(NamedTuple):
    """The position in a conversation: the cursor of the stream, and the seq of the last message that was printed."""

    conversation: int
    cursor: str
    seq: int


@dataclass(frozen=True, slots=True)
class TailOptions:
    """The options of `tandem tail`. `last`: earlier messages to print; `position`: the file to resume from."""

    conversation: str
    last: int = 10
    position: Path | None = None
    as_json: bool = False


def run_command(work: Any) -> None:
    """Run a command to its end. Exit quietly on Ctrl-C and when the reader of a pipe has left.

    Raise `TerminalError` if the server refuses.
    """
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        asyncio.run(work)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush at the exit
        sys.exit(CLOSED_PIPE)
    except ApiProblem as problem:
        named = [f"  {one.get('field')}: {one.get('detail')}" for one in problem.document.get("errors") or ()]
        lines = [str(problem), *named, *filter(None, [HINTS.get(problem.code)])]
        raise TerminalError("\n".join(map(plain, lines))) from None


def plain(text: str) -> str:
    """Return one line of foreign text, with escapes such as `\\x1b` for what could steer a terminal. Linear."""
    return STEERING.sub(lambda one: one[0].encode("unicode_escape").decode(), text.replace("\t", "    "))


async def find_conversation(client: Client, named: str) -> tuple[int, str]:
    """Return the id of a conversation, given by id or by name, and the cursor of its stream. Raise `TerminalError`."""
    snapshot = await client.call("GET", C)
    known = {one["id"]: one["name"] for one in snapshot["conversations"]}
    name = named.removeprefix("#")
    found = [id_ for id_, title in known.items() if str(id_) == name or title.casefold() == name.casefold()]
    if not found:
        listed = ", ".join(f"{title or 'no name'} ({id_})" for id_, title in list(known.items())[:20]) or "none"
        raise TerminalError(plain(f"This key's bot is not a member of {named}. It is a member of: {listed}."))
    return found[0], str(snapshot["cursor"])


class ConversationTail:
    """Prints the messages of a conversation, each once and in order, across lost connections and restarts."""

    def __init__(self, client: Client, options: TailOptions, out: TextIO) -> None:
        self._client, self._options, self._out = client, options, out
        self._conversation = self._seq = 0
        self._names: dict[int, str] = {}

    async def run(self) -> None:
        """Print earlier messages, then new ones until the caller stops it."""
        self._conversation, cursor = await find_conversation(self._client, self._options.conversation)
        saved = read_position(self._options.position)
        if saved and saved.conversation != self._conversation:
            raise TerminalError(f"{self._options.position} is the position of conversation {saved.conversation}.")
        if saved:
            cursor, self._seq = saved.cursor, saved.seq
        else:
            await self._print_latest()
            self._save(cursor)
        async for entry in self._client.stream(cursor, self._catch_up):
            if entry.event == "message" and (message := entry.json())["conversation"] == self._conversation:
                await self._print(message)
                self._save(entry.id)

    async def _print_latest(self) -> None:
        page = await self._client.messages(self._conversation, limit=max(1, self._options.last))
        for message in page["messages"]:
            if self._options.last:
                await self._print(message)
            self._seq = message["seq"]

    async def _catch_up(self, reason: str) -> str:
        """Print what the log no longer has, from the history. Return the cursor to continue from."""
        del reason
        cursor = str((await self._client.call("GET", C))["cursor"])
        async for message in self._history():
            await self._print(message)
        self._save(cursor)
        return cursor

    async def _history(self) -> AsyncIterator[Message]:
        """Yield the messages after the last one that was printed."""
        more = True
        while more:
            page = await self._client.messages(self._conversation, after=self._seq, limit=PAGE)
            for message in page["messages"]:
                yield message
            more = page["has_after"] and bool(page["messages"])

    async def _print(self, message: Message) -> None:
        """Print a message, unless it has been printed."""
        if message["seq"] <= self._seq:
            return
        self._seq = message["seq"]
        if self._options.as_json:
            print(json.dumps(message), file=self._out, flush=True)  # ASCII alone, so no text can steer a terminal
        else:
            print(describe(message, await self._name_of(message["author"])), file=self._out, flush=True)

    async def _name_of(self, user: int) -> str:
        """Return a user's name, or the id if the key may not read names."""
        if user not in self._names:
            try:
                (found,) = (await self._client.call("GET", f"/api/users?ids={user}"))["users"]
                self._names[user] = found["name"]
            except (ApiProblem, ValueError):
                return f"user {user}"
        return self._names[user]

    def _save(self, cursor: str) -> None:
        """Write the position, so that a kill leaves the former one or this one."""
        if path := self._options.position:
            draft = path.with_name(f"{path.name}.new")
            draft.write_bytes(orjson.dumps(SavedPosition(self._conversation, cursor, self._seq)._asdict()))
            draft.replace(path)


def read_position(path: Path | None) -> SavedPosition | None:
    """Return the saved position; None without a file. Raise `TerminalError` if the file is something else."""
    if path is None or not path.exists():
        return None
    try:
        return SavedPosition(**orjson.loads(path.read_bytes()))
    except (orjson.JSONDecodeError, TypeError):
        raise TerminalError(f"{path} is not a position that `tandem tail` has written.") from None


def describe(message: Message, author: str) -> str:
    """Return a message as lines of a terminal; all but the first are indented."""
    at = datetime.fromisoformat(message["created_at"]).astimezone()
    files = [f"[file] {one['name']}" for one in message.get("files", ())]
    data = [orjson.dumps(message["data"]).decode()] if "data" in message else []
    what = [f"[{message['type']}]"] if "type" in message else []
    text = "(deleted)" if message.get("deleted") else message["body"]
    first, *rest = [*" ".join([*what, *filter(None, [text])]).split("\n"), *data, *files]
    lines = [f"{at:%Y-%m-%d %H:%M}  {plain(author)}: {plain(first)}", *(f"    {plain(line)}" for line in rest)]
    return "\n".join(lines)


async def tail(server: str, key: str, options: TailOptions) -> None:
    """Print the messages of a conversation, until the caller stops it. Raise `ApiProblem` or `TerminalError`."""
    async with Client(server, key) as client:
        await ConversationTail(client, options, sys.stdout).run()


async def say(server: str, key: str, conversation: str, text: str, seconds: float, **fields: Any) -> Message:
    """Post a message and return it, trying for this long. Raise `ApiProblem` or `TerminalError`."""
    if len(text) > TEXT_MOST:
        raise TerminalError(f"The text has {len(text):,} characters; a message can have {TEXT_MOST:,}.")
    async with Client(server, key) as client:
        found = int(conversation) if conversation.isascii() and conversation.isdigit() else 0
        try:
            async with asyncio.timeout(seconds):
                number = found or (await find_conversation(client, conversation))[0]
                return await client.post(number, text, **fields)
        except TimeoutError:
            raise TerminalError(f"The server did not store the message within {seconds:g} s.") from None


def parse_data(text: str) -> Any:
    """Return the object of `--data`. Raise `TerminalError` if it is not JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        raise TerminalError(f"--data is not JSON: {wrong}") from None
