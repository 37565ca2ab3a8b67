"""A visitor: somebody who asks a node for pages of history and searches, and waits for the answers."""

import http.client
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

from chat.bench.depth import LIMIT
from chat.bench.trouble import BenchTrouble

TIMES, ROUNDS = 20, 5
HISTORY, SEARCH = "/api/chat/conversations/{room}/messages", "/api/chat/search"


def page_paths(conversation_id: int, last_seq: int) -> dict[str, str]:
    """How the kinds of page are asked for; as `depth.pages` has them."""
    newest, middle = f"{HISTORY.format(room=conversation_id)}?limit={LIMIT}", max(1, last_seq // 2)
    others = {f"page {way}": f"{newest}&{way}={middle}" for way in ("before", "around", "after")}
    return {"newest page": newest} | others


def search_path(text: str) -> str:
    """How a question is asked."""
    return f"{SEARCH}?{urlencode({'q': text})}"


class Visitor:
    """One login, on a connection that stays open, as a browser's does."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=20)
        self._access = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def wait(self, path: str) -> float:
        """Milliseconds from the request to the last byte of the answer: the median of a round, the best of them, for
        other work on the machine makes all of them longer. Raises `BenchTrouble` when the answer is an error."""
        self.ask(path)
        return min(median(self.ask(path) for _ in range(TIMES)) for _ in range(ROUNDS))

    def ask(self, path: str) -> float:
        """Once."""
        began = perf_counter()
        self._connection.request("GET", path, headers=self._access)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise BenchTrouble(f"GET {path}: {answer.status} {body[:200].decode(errors='replace')}")
        return (perf_counter() - began) * 1e3
