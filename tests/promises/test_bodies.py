"""Bodies: every body is accepted or refused with a code, soon, and never breaks anything."""

import json
from collections.abc import AsyncIterator

import pytest

from chat.messages.drafts import MESSAGE_BYTES
from chat.model.types import BODY_MOST
from tests.cast import Cast, Person
from tests.verbs import tries

ROOM = "/api/chat/conversations/1/messages"


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Ana, with a conversation of her own."""
    (ana,) = await cast.enters("ana")
    assert await cast.share(ana) == 1
    return ana


async def sends(ana: Person, body: bytes, path: str = ROOM, **headers: str) -> tuple[int, str]:
    """Let Ana send these bytes; return the status and the error code."""
    status, answer = await ana.call("POST", path, data=body, headers=headers)
    return status, answer.get("code", "")


def draft(body: str) -> bytes:
    """Return a message whose text is `body` as JSON source."""
    return b'{"client_id": "c1", "body": "%b"}' % body.encode()


NO_MESSAGES = {
    "nothing": b"",
    "no JSON": b"hello",
    "half": b'{"body": "x"',
    "two": b'{"body": "x", "client_id": "1"} {}',
    "not UTF-8": b'{"body": "\xff", "client_id": "1"}',
    "UTF-16": '{"body": "x", "client_id": "1"}'.encode("utf-16"),
    "a surrogate in UTF-8": b'{"body": "\xed\xa0\x80", "client_id": "1"}',
    "an escaped lone surrogate": draft("x \\ud800 y"),
    "reversed surrogates": draft("\\udc00\\ud800"),
    "a list": b"[]",
    "null": b"null",
    "a number": b"1e999",
    "a huge number": b'{"body": ' + b"9" * 20_000 + b', "client_id": "1"}',
    "nested lists": b"[" * 30_000,
    "nested and closed": b'{"body": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "nested objects": b'{"body":' * 8_000,
    "a form": b"body=x&client_id=1",
    "wrong types": b'{"body": 1, "client_id": true}',
    "unknown fields": b'{"body": "x", "client_id": "1", "author": 2}',
    "NUL": draft("a\\u0000b"),
    "white space": draft(" \\n\\t\\u2003"),
    "too long": draft("x" * 16_001),
    "a client id with a line break": b'{"body": "x", "client_id": "a\\nevent: bye"}',
    "a client id that ends in one": b'{"body": "x", "client_id": "a\\n"}',
}


async def test_an_invalid_message_is_refused(ana: Person) -> None:
    """Every invalid message gets 422, and the next request is served."""
    said = {kind: await sends(ana, body) for kind, body in NO_MESSAGES.items()}
    assert said == dict.fromkeys(NO_MESSAGES, (422, "invalid"))
    await ana.says(1, "still here")


async def test_deep_nesting_is_refused(ana: Person) -> None:
    """Deeply nested JSON is refused on other routes too."""
    for path in ("/api/accounts", "/api/sessions", "/api/chat/messages", "/api/chat/conversations"):
        for bomb in (b"[" * 60_000, b'{"messages": [' * 4_000, b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"):
            assert (await sends(ana, bomb, path))[0] == 422


TEXTS = {
    "bidi": "abc \u202e\u2066 cba",
    "an emoji family": "👩‍👩‍👧‍👦" * 50,
    "an over-long emoji": "🧑" + "\u200d🧑" * 2_000,
    "marks": "Z" + "\u0301\u0489" * 5_000,
    "unassigned": "\U000e0fff\ufffe\U0010ffff",
    "SSE": "x\n\ndata: y\r\nevent: bye\rid: 1\u2028\u2029\u0085",
    "escapes": "\x1b[2J\x07\x7f",
    "scripts": "<script>alert(1)</script> {{7*7}} '; drop table messages; --",
}


async def test_any_text_arrives_unchanged(ana: Person) -> None:
    """Every character arrives unchanged, and no character breaks the frame."""
    reader = await ana.listens()
    for text in TEXTS.values():
        await ana.says(1, text)
    await reader.hears(*TEXTS.values())
    assert reader.kinds == ["ready", *["message"] * len(TEXTS)]


async def test_a_paired_surrogate_is_one_character(ana: Person) -> None:
    """A pair of surrogates, as JSON writes characters beyond 16 bits, is one character."""
    reader = await ana.listens()
    assert (await sends(ana, draft("\\ud83e\\udd68")))[0] == 201
    await reader.hears("🥨")


async def test_a_body_is_too_large(ana: Person) -> None:
    """A body that is too large is refused by its declared length, or while it arrives without one."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MESSAGE_BYTES // 1024 + 2):
            yield b" " * 1024

    assert await sends(ana, b" " * (MESSAGE_BYTES + 1)) == (413, "too_large")
    status, problem = await ana.call("POST", ROOM, data=endless())
    assert (status, problem["code"]) == (413, "too_large")
    assert (await sends(ana, b" " * MESSAGE_BYTES))[0] == 422
    for path in ("/api/users/me", ROOM.rpartition("/")[0]):
        assert await tries(ana, "PATCH", path, {"name": "x" * 65_536}) == (413, "too_large")


@pytest.mark.parametrize("letter", ["漢", "🥨", "é"])
async def test_the_longest_message_is_stored_however_it_is_escaped(ana: Person, letter: str) -> None:
    """`json.dumps` of Python writes six bytes for most characters, and twelve beyond 16 bits; so do edits."""
    body = letter * BODY_MOST
    escaped = json.dumps({"body": body, "client_id": "c" * 64}).encode()
    assert len(escaped) > 96_000
    status, said = await ana.call("POST", ROOM, data=escaped)
    assert (status, said["message"]["body"] == body) == (201, True)
    edited = json.dumps({"body": body[1:] + "x"}).encode()
    assert (await ana.call("PATCH", f"{ROOM}/{said['message']['seq']}", data=edited))[0] == 200
    longer = json.dumps({"body": body + letter, "client_id": "d"}).encode()
    assert (await ana.call("POST", ROOM, data=longer))[0] == 422
