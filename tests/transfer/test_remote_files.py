"""Fetching the files that an export links to: over HTTPS, from public addresses only, and continued after a cut."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from chat.shared.http_client import is_public
from chat.transfer.records import AttachmentRecord
from chat.transfer.remote_files import RemoteFiles
from tests.deploy.proxies import make_certificate, trust
from tests.transfer.files import exports, imports
from tests.transfer.slack_export import said, slack_files, write_slack
from tests.waiting import eventually

CAT = bytes(range(256)) * 4_000


class Server:
    """A server with TLS that answers as Slack does. `asked`: path, token and range of each request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.port = 0
        self.cuts = 0
        self.stall = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer by the path."""
        headers = request.headers
        self.asked.append((request.path, headers.get("Authorization", ""), headers.get("Range", "")))
        match request.path.split("/"):
            case [_, "cat.png"]:
                return await self._cat(request)
            case [_, "busy"] if len(self.asked) < 3:
                return web.Response(status=429, headers={"Retry-After": "0"})
            case [_, "page"]:
                return web.Response(text="<html>log in", content_type="text/html")
            case [_, "away", target]:
                raise web.HTTPFound(target.replace("~", "/").replace("PORT", str(self.port)))
            case [_, "busy"]:
                return web.Response(body=b"at last")
        raise web.HTTPNotFound

    async def _cat(self, request: web.Request) -> web.StreamResponse:
        """Send the picture, or the rest of it. Stop in the middle as often as `cuts` says."""
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        answer = web.StreamResponse(status=206 if start else 200, headers={"ETag": '"v1"'})
        answer.content_length = len(CAT) - start
        await answer.prepare(request)
        if self.cuts:
            self.cuts -= 1
            await answer.write(CAT[start : start + len(CAT) // 3])
            if not self.cuts:
                await self.stall.wait()
            assert request.transport
            request.transport.close()
        else:
            await answer.write(CAT[start:])
        return answer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Run the server on loopback."""
    made = Server()
    made.stall.set()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(make_certificate(tmp_path))
    app = web.Application()
    app.router.add_get("/{any:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    made.stall.set()
    await runner.cleanup()


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve all names to loopback, and those of `private.example` to a private address."""

    async def resolve(_: object, host: str, port: int = 0, family: int = 2) -> list[ResolveResult]:
        address = "10.1.2.3" if host == "private.example" else "127.0.0.1"
        return [{"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 4}]

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)


def remote(tmp_path: Path, most: int = 10_000_000) -> RemoteFiles:
    """Return a client that may connect to the server."""
    return RemoteFiles("xoxp-secret", tmp_path / "files", most, ["127.0.0.1"], trusted(tmp_path))


def trusted(folder: Path) -> ssl.SSLContext:
    """Return a context that trusts the server's certificate for any name."""
    context = trust(folder)
    context.check_hostname = False
    return context


def size_of_part(folder: Path) -> int:
    """Return the bytes that have arrived."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix == ".part")


async def bytes_of(files: RemoteFiles, url: str) -> bytes | None:
    """Fetch a file."""
    if (found := await files.fetch(AttachmentRecord(name="x", url=url))) is None:
        return None
    size, body = found
    content = b"".join([block async for block in body])
    assert len(content) == size
    return content


async def test_a_file_comes_whole_and_only_slack_sees_the_token(tmp_path: Path, server: Server) -> None:
    """The token goes to Slack's hosts alone; a busy server is asked again; nothing is left in the folder."""
    async with remote(tmp_path) as files:
        for host in ("files.slack.com", "evil-slack.com", "slack.com.evil.example"):
            assert await bytes_of(files, f"https://{host}:{server.port}/cat.png") == CAT
        tokens = [token for _, token, _ in server.asked]
        assert tokens == ["Bearer xoxp-secret", "", ""]
        server.asked.clear()
        assert await bytes_of(files, f"https://files.slack.com:{server.port}/busy") == b"at last"
        assert len(server.asked) == 3
    assert not (tmp_path / "files").exists()


async def test_a_cut_file_is_continued(tmp_path: Path, server: Server) -> None:
    """After a cut, and after a kill, only the rest is asked for."""
    url = f"https://files.slack.com:{server.port}/cat.png"
    server.cuts = 2
    server.stall.clear()
    async with remote(tmp_path) as files:
        files.prefetch([AttachmentRecord(name="x", url=url)])
        await eventually(lambda: len(server.asked) == 2)
        await eventually(lambda: size_of_part(tmp_path / "files") >= 2 * (len(CAT) // 3))
    server.stall.set()
    async with remote(tmp_path) as files:
        assert await bytes_of(files, url) == CAT
    third = len(CAT) // 3
    assert [asked for _, _, asked in server.asked] == ["", f"bytes={third}-", f"bytes={2 * third}-"]


async def test_files_are_fetched_ahead_but_not_all(tmp_path: Path, server: Server) -> None:
    """At most 16 files wait to be read; a file that two messages have is fetched for each."""
    urls = [f"https://files.slack.com:{server.port}/cat.png?{number}" for number in range(20)]
    async with remote(tmp_path) as files:
        files.prefetch(AttachmentRecord(name="x", url=url) for url in [*urls, urls[0]])
        await eventually(lambda: sum(path.suffix == "" for path in (tmp_path / "files").iterdir()) == 16)
        assert len(server.asked) == 16
        assert [await bytes_of(files, url) == CAT for url in [*urls, urls[0]]] == [True] * 21
    assert len(server.asked) == 21
    assert not (tmp_path / "files").exists()


async def test_an_import_fetches_linked_files(
    tmp_path: Path, server: Server, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files come along; what cannot be fetched stays a link and is counted. A second run asks for nothing."""
    here = partial(RemoteFiles, allowed=["127.0.0.1"], tls=trusted(tmp_path))
    monkeypatch.setattr("chat.transfer.commands.RemoteFiles", here)
    slack = f"https://files.slack.com:{server.port}"
    names = ("cat.png", "missing")
    files = [{"id": f"F{name}", "name": name, "url_private": f"{slack}/{name}?t=xoxe-secret"} for name in names]
    day = [said("1714550400.000100", "U1ANA", "look", files=files)]
    path = write_slack(tmp_path / "slack.zip", slack_files({"2024-05-01.json": day}))
    options = {"files_url": (tmp_path / "store").as_uri(), "fetch_files": "xoxp-secret"}
    assert await imports(database_url, path, **options) == 0
    assert sorted(asked for asked, _, _ in server.asked) == ["/cat.png", "/missing"]
    assert await imports(database_url, path, **options) == 0
    assert len(server.asked) == 2
    lines = await exports(database_url, tmp_path / "out.jsonl")
    (look,) = [line for line in lines if line["type"] == "message" and line["body"].startswith("look")]
    assert look["body"] == f"look\n[missing](<{slack}/missing>)"
    assert [(file["name"], file["size"]) for file in look["files"]] == [("cat.png", len(CAT))]


@pytest.mark.parametrize(
    "url",
    [
        "http://files.slack.com:PORT/cat.png",
        "https://private.example:PORT/cat.png",
        "https://10.1.2.3:PORT/cat.png",
        "https://[::1]:PORT/cat.png",
        "https://169.254.169.254/latest",
        "https://me:secret@files.slack.com:PORT/cat.png",
        "https://files.slack.com:PORT/away/http:~~files.slack.com:PORT~cat.png",
        "https://files.slack.com:PORT/away/https:~~private.example:PORT~cat.png",
        "https://files.slack.com:PORT/away/https:~~127.0.0.2:PORT~cat.png",
        "https://files.slack.com:PORT/page",
        "https://files.slack.com:PORT/missing",
    ],
)
async def test_other_addresses_are_refused(tmp_path: Path, server: Server, url: str) -> None:
    """Nothing but HTTPS, no private address, also by a name or a redirect; a log-in page is no file."""
    async with remote(tmp_path) as files:
        assert await bytes_of(files, url.replace("PORT", str(server.port))) is None
    assert all(path != "/cat.png" for path, _, _ in server.asked)
    assert not (tmp_path / "files").exists()


async def test_a_file_that_is_too_large_is_refused(tmp_path: Path, server: Server) -> None:
    """The size is limited before and while the bytes arrive; a redirect to another allowed address is followed."""
    async with remote(tmp_path, most=len(CAT) - 1) as files:
        assert await bytes_of(files, f"https://files.slack.com:{server.port}/cat.png") is None
    async with remote(tmp_path) as files:
        away = f"https://files.slack.com:{server.port}/away/https:~~files.example:PORT~cat.png"
        assert await bytes_of(files, away) == CAT
    assert server.asked[-1][1] == ""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("ff02::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    """Special ranges are not public, nor are the addresses that embed one."""
    assert is_public(address) is public
