"""The server that is imported into: calls that are tried again for as long as that may help."""

import http.client
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson

from chat.importing.trouble import BadUrl, Refused, ServerAway

CALL_SECONDS = 60.0
PATIENCE = 60.0  # how long the server may be away
BUSY = {408, 429, 502, 503, 504}


class Server:
    """One connection. `wait` sleeps."""

    def __init__(self, url: str, token: str = "", wait: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadUrl(url)
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._url, self._prefix, self._wait, self.token = url, parts.path.rstrip("/"), wait, token
        self._connection = make(parts.hostname, parts.port, timeout=CALL_SECONDS)

    def log_in(self, name: str, password: str) -> None:
        """All further calls are this person's. Raises `Refused`."""
        signed_in = self.call("POST", "/api/sessions", {"name": name, "password": password, "device": "import"})
        self.token = signed_in["token"]

    def log_out(self) -> None:
        """End the login that `log_in` began."""
        self.call("DELETE", "/api/sessions/current")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The answer, decoded. Raises `Refused`, or `ServerAway` after a minute without success."""
        waited = 0.0
        while True:
            status, retry_after, answer = self._try(method, path, body)
            if status and status not in BUSY:
                return self._take(f"{method} {path}", status, answer)
            pause = retry_after or min(5.0, 0.25 + waited / 2)
            waited += 0.0 if status == 429 else pause
            if waited > PATIENCE:
                raise ServerAway(self._url, f"HTTP {status}" if status else answer.decode())
            self._wait(pause)

    def _try(self, method: str, path: str, body: object) -> tuple[int, float, bytes]:
        """`(status, Retry-After, body)`; a status of 0 when there was no answer, with the reason as the body."""
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent = None if body is None else orjson.dumps(body)
        try:
            self._connection.request(method, self._prefix + path, sent, headers)
            response = self._connection.getresponse()
            pause = response.headers.get("Retry-After", "")
            return response.status, float(pause if pause.isdecimal() else 0), response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return 0, 0.0, str(error or type(error).__name__).encode()

    def _take(self, what: str, status: int, answer: bytes) -> Any:
        try:
            said: Any = orjson.loads(answer) if answer else None
        except orjson.JSONDecodeError:
            raise Refused(what, "not_tandem", f"{self._url} is no Tandem server") from None
        if status < 400:
            return said
        problem = said if isinstance(said, dict) else {}
        detail = f"{problem.get('detail', f'HTTP {status}')} {problem.get('errors', '')}"
        raise Refused(what, str(problem.get("code")), detail.strip())
