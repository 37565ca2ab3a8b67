"""MCP Inspector: the command line of the protocol's own inspector lists the tools of `/mcp` and calls one."""

import json
from typing import Any

from tests.cast import Cast
from tests.foreign.programs import FOLDER, install_packages, run_node
from tests.verbs import begins, pages

# The program finds its version in the folder above the one that it is run from.
INSPECTOR = FOLDER / "node_modules/@modelcontextprotocol/inspector-cli/build"
SCOPES = ["messages:read", "messages:write"]
TOOLS = ["list_conversations", "read", "search", "post", "reply", "stream_reply"]


async def inspects(url: str, secret: str, method: str, *arguments: str) -> dict[str, Any]:
    """Call a method of the protocol with a key; return its result, which follows a note about newer versions."""
    server = ("--cli", url, "--transport", "http", "--header", f"Authorization: Bearer {secret}")
    said = await run_node("mcp-inspector-cli", *server, "--method", method, *arguments, folder=INSPECTOR)
    return dict(json.loads(said[said.index("\n{") :]))


async def test_the_inspector_lists_tools_and_calls_one(cast: Cast) -> None:
    """Tools are those of the key's scopes, and the call posts a message."""
    (ada,) = await cast.enters("ada", role="admin")
    status, made = await ada.call("POST", "/api/keys", {"name": "Inspector", "scopes": SCOPES})
    assert status == 201, made
    room = await begins(ada, "channel", "lunch")
    bot = made["key"]["user"]["id"]
    assert (await ada.call("PUT", f"/api/chat/conversations/{room}/members/{bot}", {}))[0] in (200, 201, 204)
    install_packages()
    server = f"{ada.at}/mcp", made["secret"]
    assert [tool["name"] for tool in (await inspects(*server, "tools/list"))["tools"]] == TOOLS
    arguments = (f"conversation={room}", "body=Soup, or salad?", "client_id=inspected")
    called = await inspects(*server, "tools/call", "--tool-name", "post", "--tool-arg", *arguments)
    assert not called["isError"], called
    (message,) = (await pages(ada, room))["messages"]
    assert json.loads(called["content"][0]["text"])["message"] == message
    assert (message["author"], message["body"]) == (bot, "Soup, or salad?")
