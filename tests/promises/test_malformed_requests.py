"""Malformed requests: refused with our own texts and headers, before any handler runs."""

import json
from dataclasses import dataclass

import aiohttp
import pytest
from multidict import CIMultiDict

from tests.cast import Cast, Person
from tests.nodes import Node
from tests.promises.raw_connection import RawConnection

MARK = "TOKEN-OF-ANA-3f9c"
HOST = "Host: x\r\n"


@dataclass
class Answer:
    """The node's answer: its status, its headers in lower case, its body."""

    version: str
    status: int
    headers: dict[str, str]
    body: bytes


async def asks(node: Node, data: bytes) -> Answer:
    """Let Mallory send these bytes; return the first answer."""
    wire = await RawConnection.to(node)
    await wire.send(data)
    head, _, body = (await wire.hear()).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    version, status, _ = first.split(" ", 2)
    pairs = [line.split(": ", 1) for line in lines]
    return Answer(version, int(status), {name.lower(): value for name, value in pairs}, body)


HEADS = {
    "a long cookie": (431, f"GET / HTTP/1.1\r\n{HOST}Cookie: tandem={MARK}; other={'x' * 20_000}\r\n\r\n"),
    "a long name": (431, f"GET / HTTP/1.1\r\n{HOST}{MARK}{'x' * 20_000}: 1\r\n\r\n"),
    "a long address": (414, f"GET /{MARK}{'x' * 20_000} HTTP/1.1\r\n{HOST}\r\n"),
    "many fields": (431, f"GET / HTTP/1.1\r\n{HOST}" + "".join(f"{MARK}-{n}: 1\r\n" for n in range(200)) + "\r\n"),
    "a head without an end": (431, f"GET / HTTP/1.1\r\n{HOST}" + f"{MARK}: {'x' * 9_000}\r\n" * 8),
    "no HTTP": (400, f"{MARK}\r\n\r\n"),
    "a bad method": (400, f"G({MARK} / HTTP/1.1\r\n{HOST}\r\n"),
    "a bad version": (400, f"GET / HTTP/9.{MARK}\r\n{HOST}\r\n"),
    "HTTP/2": (400, f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{MARK}"),
    "a bad field": (400, f"GET / HTTP/1.1\r\n{HOST}{MARK}\r\n\r\n"),
    "a NUL": (400, f"GET / HTTP/1.1\r\n{HOST}X: {MARK}\0\r\n\r\n"),
    "no host": (400, f"GET / HTTP/1.1\r\nX: {MARK}\r\n\r\n"),
    "two hosts": (400, f"GET / HTTP/1.1\r\n{HOST}Host: {MARK}\r\n\r\n"),
    "two lengths": (400, f"POST /{MARK} HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    "a bad length": (400, f"POST / HTTP/1.1\r\n{HOST}Content-Length: {MARK}\r\n\r\n"),
    "length and chunks": (
        400,
        f"POST /{MARK} HTTP/1.1\r\n{HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "an unknown encoding": (400, f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: {MARK}\r\n\r\n"),
    "an unknown expectation": (417, f"POST /api/files HTTP/1.1\r\n{HOST}Expect: {MARK}\r\nConnection: close\r\n\r\n"),
    "a bad chunk": (
        400,
        f"POST /api/sessions HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nzz{MARK}\r\n{MARK}\r\n0\r\n\r\n",
    ),
    "an asterisk": (404, f"OPTIONS * HTTP/1.1\r\n{HOST}X: {MARK}\r\nConnection: close\r\n\r\n"),
    "a connection to elsewhere": (404, f"CONNECT {MARK}:443 HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "head"), HEADS.values(), ids=HEADS)
async def test_a_malformed_request_gets_a_fixed_answer(node: Node, status: int, head: str) -> None:
    """The answer is a problem document over HTTP/1.1 with strict headers. The connection closes, and nothing sent is
    echoed."""
    answer = await asks(node, head.encode())
    assert (answer.version, answer.status) == ("HTTP/1.1", status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["status"] == status
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["connection"] == "close"
    said = f"{answer.headers} {answer.body.decode()}"
    assert [word for word in (MARK, "aiohttp", "Python") if word in said] == []


async def test_sixteen_kilobytes_of_cookies_are_taken(node: Node, cast: Cast) -> None:
    """Cookies of sibling sites of 16 KB are accepted, and ana stays logged in."""
    (ana,) = await cast.enters("ana")
    cookies = f"tandem={ana.token}; " + "; ".join(f"c{n}={'x' * 900}" for n in range(17))
    assert len(cookies) > 15_000
    head = f"GET /api/users/me HTTP/1.1\r\n{HOST}Cookie: {cookies}\r\nConnection: close\r\n\r\n"
    assert (await asks(node, head.encode())).status == 200


async def test_no_answer_names_the_software(ana: Person) -> None:
    """No answer names the software, whether the page is found or not."""
    for path in ("/api/users/me", "/api/nothing", "/health/live", "/api/chat/stream?poll=0"):
        _, _, headers = await ana.asks("GET", path)
        assert headers["Server"] == "Tandem"


async def test_a_refused_method_lists_the_allowed_ones(ana: Person) -> None:
    """A 405 lists the allowed methods, as RFC 9110 asks."""
    status, problem, headers = await ana.asks("PUT", "/api/sessions")
    assert (status, problem["code"]) == (405, "method_not_allowed")
    assert headers["Allow"] == "GET,HEAD,POST"


async def test_continue_is_sent_when_the_body_is_read(node: Node, cast: Cast) -> None:
    """With `Expect: 100-continue` a refused upload is never sent, and an accepted one is."""
    (ana,) = await cast.enters("ana")
    rest = "Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
    refused = await RawConnection.to(node)
    await refused.send(f"POST /api/files HTTP/1.1\r\n{HOST}{rest}".encode())
    assert (await refused.hear()).startswith(b"HTTP/1.1 401 ")
    taken = await RawConnection.to(node)
    await taken.send(f"POST /api/files HTTP/1.1\r\n{HOST}Authorization: Bearer {ana.token}\r\n{rest}".encode())
    assert await taken.hear_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await taken.send(b"hello")
    assert (await taken.hear()).startswith(b"HTTP/1.1 201 ")


TWO = ("identity", "gzip")
ENCODINGS = ("gzip", "deflate", "br", "zstd", "compress", "GZIP", "identity, gzip", "nonsense")


async def test_compressed_bodies_are_refused_and_never_inflated(ana: Person) -> None:
    """Every Content-Encoding but `identity` gets 415."""
    for encoding in ENCODINGS:
        for path in ("/api/sessions", "/api/files", "/api/chat/messages"):
            status, problem = await ana.call("POST", path, data=b"\x1f\x8b" + b"0" * 100, headers=sent_as(encoding))
            assert (status, problem["code"]) == (415, "compressed")
    twice = CIMultiDict([("Authorization", f"Bearer {ana.token}"), *[("Content-Encoding", one) for one in TWO]])
    async with aiohttp.ClientSession() as http, http.post(f"{ana.at}/api/sessions", data=b"x", headers=twice) as answer:
        assert answer.status == 415
    status, _ = await ana.call("POST", "/api/files?name=x", data=b"as it is", headers=sent_as("identity"))
    assert status == 201


def sent_as(encoding: str) -> dict[str, str]:
    """Return a body that claims this encoding; the client must not compress it itself."""
    return {"Content-Encoding": encoding}
