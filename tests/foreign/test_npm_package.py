"""The npm package `@tandem-chat/client`, as a stranger's project uses it: packed, installed, checked and run."""

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Person
from tests.foreign.programs import BUILD, install_packages, run_node

ROOT = BUILD.parent.parent
SOURCE = ROOT / "web" / "client"
USES = """
import { Api, Store, type View, type StreamState } from '@tandem-chat/client';
import { TandemChat, type TandemMessage } from '@tandem-chat/client/element';

const api = new Api({ base: 'https://chat.example', token: 't' });
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
