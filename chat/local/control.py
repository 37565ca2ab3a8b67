"""The control socket of a running fleet, in its folder: `tandem scale` and `tandem restart` send requests to it.

A request is one JSON line. The answer is one JSON line per progress report, then `done` or `failed`. Requests run one
at a time: a request that arrives while another is running fails.
"""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from chat.local.address import connect_unix, listen_unix
from chat.local.errors import NoFleet, NotDone, StartError
from chat.local.fleet import Plan
from chat.local.haproxy import balancer_folder
from chat.local.progress import show

SOCKET_NAME = "control"
READ_TIMEOUT = 1.0
ANSWER_TIMEOUT = 600.0  # between two lines: a node drains, ends, starts and replays its log
MAX_REQUEST = 64 * 1024
Commands = Mapping[str, Callable[..., Plan]]


class Control:
    """Listen in the folder. `commands` maps a request's `do` to a function that gets its other fields."""

    def __init__(self, folder: Path, commands: Commands) -> None:
        self._commands = commands
        self._listener = listen_unix(folder / SOCKET_NAME)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self._plan: Plan | None = None

    def poll(self) -> None:
        """Accept a request and continue the one in progress. Never block for more than a moment."""
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            pass
        else:
            self._read_request(client)
        if self._plan is not None:
            self._advance(self._plan)

    def _read_request(self, client: socket.socket) -> None:
        client.settimeout(READ_TIMEOUT)
        if self._plan is not None:
            answer(client, failed="Another request is in progress. Retry when it is done.")
            client.close()
            return
        self._client = client
        try:
            request = orjson.loads(client.recv(MAX_REQUEST))
            self._plan = self._commands[request.pop("do")](**request)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._finish(failed="Unknown or malformed request.")

    def _advance(self, plan: Plan) -> None:
        try:
            line = next(plan)
        except StopIteration:
            self._finish(done=True)
        except StartError as error:
            self._finish(failed=str(error))
        else:
            if line:
                show(line)
                answer(self._client, line=line)

    def _finish(self, **fields: object) -> None:
        answer(self._client, **fields)
        if self._client is not None:
            self._client.close()
        self._client = self._plan = None

    def close(self) -> None:
        """Stop listening, and fail the request in progress."""
        if self._plan is not None:
            self._finish(failed="Tandem is stopping.")
        self._listener.close()


def answer(client: socket.socket | None, **fields: Any) -> None:
    """Send one line. A client that has disconnected, or does not read, misses it."""
    try:
        if client is not None:
            client.sendall(orjson.dumps(fields) + b"\n")
    except OSError:
        pass


def ask_fleet(data: Path, do: str, **arguments: Any) -> None:
    """Send a request to the fleet in the data folder and print its answer.

    Raise `NoFleet` if none runs there, or `NotDone` with the reason if the request fails.
    """
    try:
        connection = connect_unix(balancer_folder(data) / SOCKET_NAME, ANSWER_TIMEOUT)
    except OSError:
        raise NoFleet(data) from None
    with connection, connection.makefile("rb") as lines:
        connection.sendall(orjson.dumps({"do": do, **arguments}))
        for line in lines:
            fields = orjson.loads(line)
            if "line" in fields:
                show(fields["line"])
            elif "failed" in fields:
                raise NotDone(fields["failed"])
            else:
                return
    raise NotDone("Tandem ended before the request was done.")
