"""The npm package `@tandem-chat/client`, as a stranger's project uses it: packed, installed, checked and run."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chat.tools.chaos.network import Proxy, bad_network
from tests.cast import Cast, Person
from tests.foreign.programs import BUILD, install_packages, run_node
from tests.verbs import pages
from tests.waiting import eventually

ROOT = BUILD.parent.parent
SOURCE = ROOT / "web" / "client"
USES = """
import { Api, CommandSocket, Store, type View, type StreamState } from '@tandem-chat/client';
import { TandemChat, type TandemMessage } from '@tandem-chat/client/element';

const api = new Api({ base: 'https://chat.example', token: 't' });
const socket = new CommandSocket({
  api,
  onEntry: (entry) => {
    if (entry.event === 'message') void socket.post(entry.data.conversation, entry.data.body);
  },
});
const length: number = await socket.append(12, 340, 0, (await socket.post(12, 'hello')).body);
const store = new Store({ api, me: await api.me() });
const show = (view: View): StreamState['name'] => view.connection.name;
const element: TandemChat = document.createElement('tandem-chat');
element.token = async () => 'a token';
element.words = { send: 'Go' };
element.addEventListener('tandem-message', ({ detail }: CustomEvent<TandemMessage>) => detail.message.body.length);
// @ts-expect-error no such property: the types are there, and are not any
element.tokens = show(store.view);
"""
RUNS = """
import { Api, Problem, Store } from '@tandem-chat/client';
import { TandemChat } from '@tandem-chat/client/element';
const [base, token] = process.argv.slice(2);
const api = new Api({ base, token });
const me = await api.me();
const store = new Store({ api, me });
const first = new Promise((found) => store.subscribe((view) => view.connection.name === 'live' && found(view)));
store.start();
const { conversations } = await first;
store.stop();
console.log(JSON.stringify([me.name, conversations.size, typeof TandemChat, typeof Problem]));
"""

# Fifty posts, five at a time, over connections that break.
POSTS = """
import { Api, CommandSocket } from '@tandem-chat/client';
const [base, token, room] = process.argv.slice(2);
const heard = [];
const all = new Promise((resolve) => {
  const onEntry = ({ event, data }) => event === 'message' && heard.push(data.body) === 50 && resolve();
  globalThis.socket = new CommandSocket({ api: new Api({ base, token }), onEntry });
});
socket.start();
const posted = [];
for (let n = 0; n < 50; n += 5)
  posted.push(...await Promise.all([0, 1, 2, 3, 4].map((more) => socket.post(Number(room), `${n + more}`))));
await all;
socket.stop();
console.log(JSON.stringify([heard, posted.map((message) => message.seq)]));
"""
# What ends the example of the README, which answers for as long as it runs.
ENDS = """
const { api } = socket.options;
while (!(await api.messages(ROOM)).messages.some((one) => one.body === 'pong')) ;
await socket.read(ROOM, 1); // answers come in order: that to the pong is here
socket.stop();
"""
WEB_SOCKET = "--experimental-websocket"  # for Node 20


def build_web(*arguments: str) -> None:
    """Run the script that finds npm."""
    subprocess.run(
        [sys.executable, str(BUILD), *arguments], check=True, env=os.environ | {"npm_config_offline": "true"}
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project with the packed package installed."""
    folder = tmp_path_factory.mktemp("stranger")
    build_web("npm", str(SOURCE), "pack", "--silent", "--pack-destination", str(folder))
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    (packed,) = folder.glob("*.tgz")
    build_web("npm", str(folder), "install", "--silent", "--no-audit", "--no-fund", f"./{packed.name}")
    return folder


def manifest() -> Any:
    """Return the package's description."""
    return json.loads((SOURCE / "package.json").read_text())


def test_the_package_is_complete_and_small(project: Path) -> None:
    """Code, types, README and license; the version of the project; neither tests nor a dependency."""
    installed = project / "node_modules" / "@tandem-chat" / "client"
    names = {path.name for path in installed.iterdir()}
    assert names == {"LICENSE", "README.md", "dist", "package.json"}
    assert (installed / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert not [path for path in installed.rglob("*") if "test" in path.name]
    assert manifest()["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert not manifest().keys() & {"dependencies", "peerDependencies", "publishConfig"}
    assert len(list((project / "node_modules").iterdir())) <= 2  # the scope, and npm's own list


@pytest.mark.parametrize(("module", "resolution"), [("ESNext", "bundler"), ("NodeNext", "nodenext")])
async def test_its_types_are_right(project: Path, module: str, resolution: str) -> None:
    """For bundlers, and for Node, which needs file extensions; the declarations themselves are checked too."""
    await asyncio.to_thread(install_packages)
    (project / "uses.ts").write_text(USES)
    options = {"module": module, "moduleResolution": resolution, "target": "ES2022", "strict": True, "noEmit": True}
    libraries = {"lib": ["ES2023", "DOM", "DOM.Iterable"], "types": [], "skipLibCheck": False}
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options | libraries, "files": ["uses.ts"]}))
    assert await run_node("tsc", "--project", str(project)) == ""


async def test_it_runs_in_node(project: Path, ana: Person) -> None:
    """The client talks to a server; the element can be imported where there are no elements."""
    (project / "runs.mjs").write_text(RUNS)
    said = await run_node(str(project / "runs.mjs"), ana.at, ana.token, folder=project)
    assert json.loads(said) == ["ana", 0, "function", "function"]


async def test_commands_of_a_socket_that_is_cut(project: Path, cast: Cast, ana: Person, ben: Person) -> None:
    """Connections are cut just before an answer: each post is stored once, and its entry arrives once, in order."""
    (project / "posts.mjs").write_text(POSTS)
    room = await cast.share(ana, ben)

    async def cut(wire: Proxy) -> None:
        for lost in range(1, 6):
            wire.lose_answer(b'"ack"')
            await eventually(lambda lost=lost: wire.lost == lost)  # type: ignore[misc]

    async with bad_network(ana.at) as wire:
        program = run_node(
            str(project / "posts.mjs"), wire.url, ana.token, str(room), folder=project, options=WEB_SOCKET
        )
        said, _ = await asyncio.gather(program, cut(wire))
    heard, seqs = json.loads(said)
    history = (await pages(ben, room, "limit=100"))["messages"]
    assert [message["body"] for message in history] == heard == [str(n) for n in range(50)]
    assert seqs == list(range(1, 51))


async def test_the_socket_of_the_readme(project: Path, cast: Cast, ana: Person, ben: Person) -> None:
    """The example runs as it is: it says hello, reacts, and answers Ana's ping."""
    room = await cast.share(ana, ben)
    blocks = re.findall(r"```ts\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    (example,) = [text for text in blocks if "new CommandSocket" in text]
    places = {"./index": "@tandem-chat/client", "https://chat.example": ben.at, "tk_…": ben.token, "(12,": f"({room},"}
    for there, here in places.items():
        assert there in example
        example = example.replace(there, here)
    (project / "socket.mjs").write_text(example + ENDS.replace("ROOM", str(room)))

    async def says_ping() -> None:
        async def is_greeted() -> bool:
            messages = (await pages(ana, room))["messages"]
            return [(one["body"], len(one.get("reactions", []))) for one in messages] == [("Hello.", 1)]

        await eventually(is_greeted, 60)
        await ana.says(room, "ping")

    await asyncio.gather(run_node(str(project / "socket.mjs"), folder=project, options=WEB_SOCKET), says_ping())
    assert [one["body"] for one in (await pages(ana, room))["messages"]] == ["Hello.", "ping", "pong"]
