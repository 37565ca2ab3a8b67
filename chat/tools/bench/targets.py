"""Targets: the requests by which a reader opens a stream and a poster posts, on each kind of server. Pure."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from chat.local.errors import StartError

# Stands once in each message, on every server and transport, and in nothing else. One byte is counted many times
# faster than a word, and CPU time that the generator uses is not there for the server.
MARKER = "~"
FRAMED = '"~'  # over a WebSocket, whose frames may have a ~ before their length
WORDS = "hello there, how are you today? " * 2
KEY = base64.b64encode(b"a key that wants")


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and how it is used. `{token}` in a head is replaced.

    `hello` is the first frame of a WebSocket client. `ready` marks an open stream, by default the end of the answer's
    head. `body` is what is posted around a message, as JSON or, with `quoted`, as the text of a JSON string. `marker`
    stands once in each delivery. `post_port` is the port for posts if it is another one. `pace` is how many streams a
    second are opened, for servers that lose some of a thousand at once.
    """

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
        """Return a reader's request; with a cursor the stream resumes there."""
        more = f"Last-Event-ID: {cursor}\r\n" if cursor else ""
        if not self.websocket:
            more += "Accept: text/event-stream\r\n"
        else:
            more += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            more += f"Sec-WebSocket-Key: {KEY.decode()}\r\n"
        return head_of("GET", self.stream.replace("{cursor}", cursor), self, token, more) + b"\r\n"

    def post_request(self, token: str, message: bytes, room: int = 0) -> bytes:
        """Return a poster's request, to a conversation if the target leaves that open."""
        before, _, after = self.body.partition("{message}")
        message = orjson.dumps(message.decode())[1:-1] if self.quoted else message
        body = before.encode() + message + after.encode()
        more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head_of("POST", self.post.replace("{room}", str(room)), self, token, more) + b"\r\n" + body


def head_of(method: str, path: str, target: Target, token: str, more: str) -> bytes:
    """Return the request line and headers, without the empty line."""
    access = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n{access}{more}".encode()


def post_address(target: Target) -> tuple[str, int]:
    """Return the address for posts."""
    return target.host, target.post_port or target.port


def room_of(target: Target) -> int:
    """Return the conversation that it posts to."""
    return int(target.post.split("/")[4])


def draft(name: str, moment: int = 0) -> bytes:
    """Return a message of about a hundred bytes; `moment`, in nanoseconds, lets a reader tell how long it took."""
    return b'{"body":"~%d %b","client_id":"%b"}' % (moment, WORDS.encode(), name.encode())


def drafts(name: str, conversation: int, count: int) -> bytes:
    """Return a batch of messages."""
    messages = [
        {"conversation": conversation, "body": f"{MARKER} {WORDS}", "client_id": f"{name}-{n}"} for n in range(count)
    ]
    return orjson.dumps({"messages": messages})


def mask(data: bytes, opcode: int = 1) -> bytes:
    """Return a client's WebSocket frame with a zero mask, which needs no work and is as good as any here."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8)
    return head + bytes(4) + data


def spread(tokens: list[str], count: int) -> Iterator[str]:
    """Return the tokens of `count` streams, spread evenly over these users."""
    return (tokens[n % len(tokens)] for n in range(count))


# Errors: the message says what to do.


class BenchTrouble(StartError):
    """The measurement cannot be made on this machine."""


class GeneratorDied(BenchTrouble):
    """A load generator ended too early; its last log lines are above."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


class NoCompiler(BenchTrouble):
    """The floor is a C program, and there is no C compiler."""

    def __init__(self) -> None:
        super().__init__("The floor is a C program, and there is no compiler: install one (cc), or leave `floor` out.")
