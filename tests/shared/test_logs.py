"""Logs: text of strangers is logged, and cannot control the terminal."""

import re
import subprocess
import sys

import aiohttp
import pytest

from chat.shared.logging import escape_controls
from tests.promises.conftest import StartNode, start_node

__all__ = ["start_node"]
HOSTILE = "\x1b[2J\x1b]0;mallory\x07 \r\n\t \x85\x9b31m \u202egnp.exe\u2066 \u2028 \ufeff \u200b \x7f"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
COLOR = re.compile(r"\x1b\[[0-9;]*m")  # written by structlog itself
PROGRAM = """
import sys, structlog
from chat.shared.logging import set_up_logs
set_up_logs(sys.argv[1])
text = sys.argv[2].encode().decode("unicode_escape")
log = structlog.get_logger("test")
log.info("request", path=text, parts=[text, {text: text}], raw=text.encode())
try:
    raise ValueError(text)
except ValueError:
    log.exception("a request failed", path=text)
"""


def log_of(form: str) -> str:
    """Return what a process logs of hostile text, as a value and in an exception."""
    escaped = HOSTILE.encode("unicode_escape").decode()
    done = subprocess.run([sys.executable, "-c", PROGRAM, form, escaped], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_value_cannot_control_the_terminal(form: str) -> None:
    """A field, an item of a list and an exception's message are escaped."""
    said = log_of(form)
    assert "\x1b" not in COLOR.sub("", said)
    assert UNSAFE.findall(said) == []
    assert "x1b[2J" in said or "u001b[2J" in said
    assert "u202egnp.exe" in said
    assert [line for line in said.split("\n") if line.startswith(("mallory", "31m"))] == []


def test_ordinary_text_stays_unchanged() -> None:
    """Text of any script, and emoji with joiners, stays unchanged."""
    for text in ("Grüße, 日本語, العربية, हिन्दी", "❤️ 🇩🇪", "plain"):
        assert escape_controls(text) == text


async def test_a_path_cannot_control_the_terminal(start_node: StartNode) -> None:
    """The path of a request to a node is escaped."""
    node = await start_node("a1", LOG_REQUESTS="all", LOG_FORMAT="console")
    async with aiohttp.ClientSession() as http, http.get(node.url + "/api/x%1b%5b2J%E2%80%AEgnp") as answer:
        assert answer.status == 404
    said = node.log.read_text()
    assert "\x1b[2J" not in said
    assert "\u202e" not in said
    assert "/api/x\\x1b[2J\\u202egnp" in said.replace("\\\\", "\\")
