"""A target: how a reader asks a server for its stream, and how a poster gives it something to tell. Pure."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from chat.local.errors import StartError

# Stands once in each message, whichever server and whichever transport carries it, and in nothing else. One byte is
# counted many times faster than a word: what the generator takes, the server lacks.
MARKER = "~"

FRAMED = '"~'  # over a WebSocket, whose frames may have a ~ before their length

WORDS = "hello there, how are you today? " * 2

KEY = base64.b64encode(b"a key that wants")


@dataclass(frozen=True, slots=True)
class Target:
    """`{token}` in a head is replaced; `hello`: what a WebSocket client says first; `ready`: when a stream counts as
    open, the end of the answer's head unless said otherwise; `body`: what is posted, around a message as JSON, or as
    the text of a JSON string (`quoted`); `marker`: what stands once in each delivery; `post_port`: where it posts,
    when that is elsewhere; `pace`: how many streams a second it lets in, where it loses some of a thousand at once."""

    host: str
    port: int
    stream: str
    post: str
    ready: str = "\r\n\r\n"
    hello: str = ""
    body: str = "{message}"
    marker: str = MARKER
    websocket: bool = False
    quoted: bool = False
    post_port: int = 0
    pace: float = 0

    def stream_request(self, token: str, cursor: str = "") -> bytes:
        """What a reader sends; with a cursor it comes back to where it was."""
        more = f"Last-Event-ID: {cursor}\r\n" if cursor else ""
        if not self.websocket:
            more += "Accept: text/event-stream\r\n"
        else:
            more += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            more += f"Sec-WebSocket-Key: {KEY.decode()}\r\n"
        return head_of("GET", self.stream.replace("{cursor}", cursor), self, token, more) + b"\r\n"

    def post_request(self, token: str, message: bytes, room: int = 0) -> bytes:
        """What a poster sends, to a room where the target leaves that open."""
        before, _, after = self.body.partition("{message}")
        message = orjson.dumps(message.decode())[1:-1] if self.quoted else message
        body = before.encode() + message + after.encode()
        more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head_of("POST", self.post.replace("{room}", str(room)), self, token, more) + b"\r\n" + body


def head_of(method: str, path: str, target: Target, token: str, more: str) -> bytes:
    """Request line and headers, without the empty line."""
    access = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n{access}{more}".encode()


def door_of(target: Target) -> tuple[str, int]:
    """Where it takes posts."""
    return target.host, target.post_port or target.port


def draft(name: str, moment: int = 0) -> bytes:
    """A message of about a hundred bytes; `moment`, in nanoseconds, lets the reader tell how long it took."""
    return b'{"body":"~%d %b","client_id":"%b"}' % (moment, WORDS.encode(), name.encode())


def drafts(name: str, conversation: int, count: int) -> bytes:
    """A batch of them."""
    messages = [
        {"conversation": conversation, "body": f"{MARKER} {WORDS}", "client_id": f"{name}-{n}"} for n in range(count)
    ]
    return orjson.dumps({"messages": messages})


def mask(data: bytes, opcode: int = 1) -> bytes:
    """A client's WebSocket frame; the mask is zero, which masks nothing and is as good as any here."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8)
    return head + bytes(4) + data


def spread(tokens: list[str], count: int) -> Iterator[str]:
    """`count` streams over these people, evenly."""
    return (tokens[n % len(tokens)] for n in range(count))


# What can keep the bench from measuring; the message says what to do about it.


class BenchTrouble(StartError):
    """This cannot be measured here."""


class GeneratorDied(BenchTrouble):
    """A load generator has ended before its time; its last words stand above."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


class NoCompiler(BenchTrouble):
    """The floor is a C program."""

    def __init__(self) -> None:
        super().__init__("The floor is a C program, and there is no compiler: install one (cc), or leave `floor` out.")
