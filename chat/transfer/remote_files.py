"""Fetching the files that a Slack export only links to, for `tandem import --fetch-files TOKEN`.

An export can be made by anyone, so its links are not trusted: only HTTPS, only public addresses, also after a redirect,
and the token goes to Slack alone. Names are resolved once, and the connection goes to the address that was checked.

Parts that have arrived stay in a folder, so that a later run continues them.
"""

import asyncio
import hashlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp
from yarl import URL

from chat.shared.http_client import REDIRECTS, NotFetched, check_public, public_connector
from chat.transfer.records import AttachmentRecord

BLOCK = 256 * 1024
AT_ONCE, AHEAD = 4, 16  # files
REDIRECTS_MOST = 5
ATTEMPTS_MOST = 4
WAIT_MOST = 30.0  # seconds that Slack may ask to wait
FILE_SECONDS = 900.0
HEADERS_SECONDS = 30.0
SLACK = ("slack.com", "slack-edge.com", "slack-files.com")
RETRIED = {429, 500, 502, 503, 504}


class Interrupted(Exception):
    """A file could not be fetched now. `seconds`: how long to wait before the next attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"try again in {seconds:g} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class FetchedPart:
    """A file that is being fetched. `whole`: its path when it has arrived.

    Its version (`ETag`) is kept beside it: only a part of the same version is continued.
    """

    whole: Path

    @property
    def _part(self) -> Path:
        return self.whole.with_suffix(".part")

    @property
    def _version(self) -> Path:
        return self.whole.with_suffix(".etag")

    def is_whole(self) -> bool:
        """Return whether the file has arrived."""
        return self.whole.exists()

    def headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest, if the version is known."""
        known = self._version.read_text() if self._part.exists() and self._version.exists() else ""
        if not known or known.startswith("W/"):
            return {}
        return {"Range": f"bytes={self._part.stat().st_size}-", "If-Range": known}

    def begin(self, version: str, resumed: bool) -> int:
        """Note the version. Return the bytes that are kept."""
        if not resumed:
            self._part.write_bytes(b"")
        self._version.write_text(version)
        return self._part.stat().st_size if self._part.exists() else 0

    def add(self, block: bytes) -> None:
        """Append bytes."""
        with self._part.open("ab") as file:
            file.write(block)

    def drop(self) -> None:
        """Remove what has arrived."""
        self._part.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)

    def finish(self) -> Path:
        """Give the file its name, and return it."""
        self._version.unlink(missing_ok=True)
        return self._part.rename(self.whole)


class RemoteFiles:
    """Files at Slack, fetched into a folder. `most`: the bytes of one file.

    `allowed` and `tls`: addresses and certificates for tests.
    """

    def __init__(
        self,
        token: str,
        folder: Path,
        most: int,
        allowed: Iterable[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._token, self._folder, self._most = token, folder, most
        self._allowed, self._tls = frozenset(allowed), tls or ssl.create_default_context()
        self._slots, self._group = asyncio.Semaphore(AT_ONCE), asyncio.TaskGroup()
        self._running: dict[str, asyncio.Task[Path | None]] = {}
        self._waiting: deque[str] = deque()

    async def __aenter__(self) -> Self:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        connector = public_connector(self._allowed, self._tls, limit=AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=HEADERS_SECONDS, sock_read=HEADERS_SECONDS)
        self._http = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waiting.clear()
        for task in self._running.values():
            task.cancel()
        await self._group.__aexit__(None, None, None)
        await self._http.close()
        with suppress(OSError):
            self._folder.rmdir()  # unless parts are left

    def prefetch(self, files: Iterable[AttachmentRecord]) -> None:
        """Fetch these files in the background, in their order, never more than 16 ahead of `fetch`."""
        self._waiting.extend(file.url for file in files if file.url and file.path is None)
        self._fill()

    async def fetch(self, file: AttachmentRecord) -> tuple[int, AsyncIterator[bytes]] | None:
        """Return the size and the bytes of a file, or None if it cannot be fetched. It is removed when read."""
        if file.url is None:
            return None
        path = await self._begin(file.url)
        self._running.pop(file.url, None)
        self._fill()
        return (path.stat().st_size, read_and_remove(path)) if path else None

    def _fill(self) -> None:
        while self._waiting and len(self._running) < AHEAD:
            self._begin(self._waiting.popleft())

    def _begin(self, url: str) -> asyncio.Task[Path | None]:
        if url not in self._running:
            self._running[url] = self._group.create_task(self._keep_fetching(url), name=f"fetch {url}")
        return self._running[url]

    async def _keep_fetching(self, url: str) -> Path | None:
        """Fetch a file, with several attempts. Return its path, or None."""
        part = FetchedPart(self._folder / hashlib.sha256(url.encode()).hexdigest())
        if part.is_whole():
            return part.whole
        for attempt in range(ATTEMPTS_MOST):
            try:
                async with self._slots, asyncio.timeout(FILE_SECONDS):
                    await self._fetch_part(URL(url), part)
                return part.finish()
            except NotFetched:
                part.drop()
                return None
            except Interrupted as error:
                seconds = error.seconds
            except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
                seconds = float(attempt)
            if attempt < ATTEMPTS_MOST - 1:
                await asyncio.sleep(min(seconds, WAIT_MOST))
        return None

    async def _fetch_part(self, url: URL, part: FetchedPart) -> None:
        """Fetch what is missing of a file, and follow redirects."""
        for _ in range(REDIRECTS_MOST + 1):
            check_public(url, self._allowed)
            headers = {"Accept-Encoding": "identity", **self._identity(url), **part.headers()}
            async with self._http.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    url = url.join(URL(answer.headers.get("Location", "")))
                    continue
                return await self._store(answer, part)
        raise NotFetched("too many redirects")

    def _identity(self, url: URL) -> dict[str, str]:
        """Return the token, if the address is Slack's."""
        host = (url.host or "").lower()
        ours = any(host == one or host.endswith(f".{one}") for one in SLACK)
        return {"Authorization": f"Bearer {self._token}"} if ours else {}

    async def _store(self, answer: aiohttp.ClientResponse, part: FetchedPart) -> None:
        """Write the answer to the part. Raise `Interrupted` or `NotFetched`."""
        if answer.status in RETRIED:
            raise Interrupted(seconds_in(answer.headers.get("Retry-After", "1")))
        if answer.status == 416:  # the part is of another file, or complete
            part.drop()
            raise Interrupted(0)
        if answer.status not in (200, 206) or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise NotFetched(f"status {answer.status}")
        if answer.content_type == "text/html" and self._is_page(answer):
            raise NotFetched("Slack asks for a log-in")
        have = part.begin(answer.headers.get("ETag", ""), resumed=answer.status == 206)
        if have + (answer.content_length or 0) > self._most:
            raise NotFetched("is too large")
        async for block in answer.content.iter_chunked(BLOCK):
            have += len(block)
            if have > self._most:
                raise NotFetched("is too large")
            part.add(block)

    def _is_page(self, answer: aiohttp.ClientResponse) -> bool:
        """Return whether Slack answered with a page, as it does for a token without access."""
        return bool(self._identity(answer.url)) and not answer.url.path.endswith((".html", ".htm"))


def seconds_in(header: str) -> float:
    """Return the seconds of a `Retry-After` header. A date counts as one second."""
    return float(header) if header.isascii() and header.isdecimal() and len(header) < 6 else 1.0


async def read_and_remove(path: Path) -> AsyncIterator[bytes]:
    """Yield the bytes of a file, and remove it at the end."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
    remove(path)


def remove(path: Path) -> None:
    """Remove a file."""
    path.unlink(missing_ok=True)
