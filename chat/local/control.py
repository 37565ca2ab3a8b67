"""Control: what a running fleet is asked, by `tandem scale` and `tandem restart`, over a socket in its folder.

One JSON line says what; the answer is a JSON line for each bit of news, and last `done` or `failed`. One thing at a
time: who asks while another one is under way is told so.
"""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from chat.local.address import listen_unix
from chat.local.errors import StartError
from chat.local.fleet import Plan
from chat.local.progress import tell

PATIENCE = 1.0

LONGEST = 64 * 1024

Verbs = Mapping[str, Callable[..., Plan]]


class Control:
    """Listens at `path`; `verbs`: what can be asked, with the names and values that are said beside it."""

    def __init__(self, path: Path, verbs: Verbs) -> None:
        self._verbs = verbs
        self._listener = listen_unix(path)
        self._listener.setblocking(False)
        self._asker: socket.socket | None = None
        self._plan: Plan | None = None

    def look(self) -> None:
        """Hear who asks, and go on with what is under way. Never waits for longer than a moment."""
        try:
            asker, _ = self._listener.accept()
        except BlockingIOError:
            pass
        else:
            self._hear(asker)
        if self._plan is not None:
            self._go_on(self._plan)

    def _hear(self, asker: socket.socket) -> None:
        asker.settimeout(PATIENCE)
        if self._plan is not None:
            answer(asker, failed="Something else is under way; ask again when it is done.")
            asker.close()
            return
        self._asker = asker
        try:
            asked = orjson.loads(asker.recv(LONGEST))
            self._plan = self._verbs[asked.pop("do")](**asked)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._end(failed="This cannot be asked.")

    def _go_on(self, plan: Plan) -> None:
        try:
            line = next(plan)
        except StopIteration:
            self._end(done=True)
        except StartError as trouble:
            self._end(failed=str(trouble))
        else:
            if line:
                tell(line)
                answer(self._asker, line=line)

    def _end(self, **how: object) -> None:
        answer(self._asker, **how)
        if self._asker is not None:
            self._asker.close()
        self._asker = self._plan = None

    def close(self) -> None:
        """Hear nobody any more; who still waits is told."""
        if self._plan is not None:
            self._end(failed="Tandem stops.")
        self._listener.close()


def answer(asker: socket.socket | None, **said: Any) -> None:
    """One line; who has hung up, or does not read, misses it."""
    try:
        if asker is not None:
            asker.sendall(orjson.dumps(said) + b"\n")
    except OSError:
        pass
