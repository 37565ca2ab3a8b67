"""The README is true: every command in it runs, every setting exists, and none is left out."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from chat.local.data_dir import free_port
from chat.shared.settings import Settings
from tests.transfer.slack_export import write_slack
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TRANSFER = (ROOT / "chat" / "transfer" / "README.md").read_text()
CONFIGURATION = (ROOT / "deploy" / "configuration.md").read_text()
PAGES = sorted(
    [
        ROOT / "README.md",
        *ROOT.glob(".github/*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("chat/**/README.md"),
        *ROOT.glob("deploy/**/*.md"),
    ]
)
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README + TRANSFER, re.DOTALL)
    for line in block.splitlines()
    if line
]
Run = Callable[[str], str]


@contextmanager
def going_on(command: str, until: str, log: Path, env: dict[str, str]) -> Iterator[None]:
    """Run a command until the end of the block: wait until it has printed `until`, then stop it, which must succeed."""
    with log.open("wb") as out:
        # exec: the signal is for the command, not for the shell around it
        process = subprocess.Popen(f"exec {command}", shell=True, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            wait_until(lambda: until in log.read_text(errors="replace") or process.poll() is not None, 100)
            assert process.poll() is None, log.read_text(errors="replace")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) in (0, -signal.SIGTERM, 143), log.read_text(errors="replace")


@pytest.fixture
def env(database_url: str, redis_url: str) -> dict[str, str]:
    """The environment that the README assumes: `tandem` on the path, and the servers' URLs."""
    path = f"{ROOT / '.venv' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {
        "PATH": path,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DRAIN_SECONDS": "0",
        "PASSWORD": "as long as it should be",
    }


def command(start: str) -> str:
    """Return the one command of the README that starts like this."""
    (found,) = [line for line in COMMANDS if line.startswith(start)]
    return found


def run(line: str, env: dict[str, str]) -> str:
    """Run a command to its end; return its output."""
    done = subprocess.run(line, shell=True, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def log_in(url: str, name: str, password: str) -> str:
    """Return a token, as the README gets one."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(url + "/api/sessions", json={"name": name, "password": password}) as answer,
    ):
        assert answer.status == 201
        return str((await answer.json())["token"])


def test_no_command_is_left_out() -> None:
    """Every command of the README is in one of the tests below."""
    starts = [
        "./deploy/run --demo",
        "./deploy/test",
        'curl -H "Content',
        "curl -N",
        'curl -H "Auth',
        "tandem migrate",
        "echo",
        "tandem serve",
    ]
    starts += ["./deploy/run --nodes", "tandem nodes", "tandem scale", "tandem restart", "tandem drain"]
    starts += ["tandem import", "tandem export"]
    assert len(COMMANDS) == len(starts)
    assert [line.startswith(start) for line, start in zip(COMMANDS, starts, strict=True)] == [True] * len(starts)
    assert os.access(ROOT / command("./deploy/test"), os.X_OK)  # it is running us now


async def test_the_first_command_and_talking_from_a_shell(env: dict[str, str], tmp_path: Path) -> None:
    """Start it with the demo; then listen and post with curl, as ana."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    start = f"{command('./deploy/run --demo')} --port {port} --data '{tmp_path}/data'"
    with going_on(start, f"ready on {url}\n", tmp_path / "up", env):
        env["TOKEN"] = await log_in(url, "ana", "tandem")
        here = {line: line.replace("http://127.0.0.1:8080", url) for line in COMMANDS}
        assert '"token":' in run(here[command('curl -H "Content')], env)
        with going_on(here[command("curl -N")], "event: ready", tmp_path / "stream", env):
            assert '"body":"hello"' in run(here[command('curl -H "Auth')], env)
            wait_until(lambda: '"body":"hello"' in (tmp_path / "stream").read_text())


def test_import_and_export(env: dict[str, str], tmp_path: Path) -> None:
    """A dry run, an import, and an export of everything work."""
    run(command("tandem migrate"), env)
    write_slack(tmp_path / "slack-export.zip")
    run(command("tandem import").replace("slack-export.zip", str(tmp_path / "slack-export.zip")), env)
    assert "0 messages" in run(command("tandem export").replace("everything", str(tmp_path / "everything")), env)


async def test_a_node_for_production(env: dict[str, str], tmp_path: Path) -> None:
    """Migrate, create the first admin and serve; the admin logs in."""
    port = free_port()
    run(command("tandem migrate"), env)
    run(command("echo"), env)
    serve = command("tandem serve").replace("8080", str(port))
    with going_on(serve, "serving", tmp_path / "node", env):
        assert await log_in(f"http://127.0.0.1:{port}", "ops", env["PASSWORD"])


def test_several_nodes(env: dict[str, str], tmp_path: Path) -> None:
    """Two nodes behind their balancer instead of the README's number, which would take a minute; then three, all
    restarted; one drains."""
    port, data = free_port(), f"--data '{tmp_path}/data'"
    start = f"{command('./deploy/run --nodes').replace('3', '2')} --port {port} {data}"
    with going_on(start, f"ready on http://127.0.0.1:{port}\n", tmp_path / "up", env):
        assert all(f"n{n}" in run(f"{command('tandem nodes')} {data}", env) for n in (1, 2))
        run(f"{command('tandem scale').replace('5', '3')} {data}", env)
        run(f"{command('tandem restart')} {data}", env)
        assert run(f"{command('tandem drain')} {data}", env) == "n2 is draining\n"
        nodes = run(f"{command('tandem nodes')} {data}", env)
        assert nodes.count(" up ") == 2
        assert "drain" in nodes


def test_every_setting_is_explained_and_none_is_invented() -> None:
    """`deploy/configuration.md` has each setting of the program once; the README names no other."""
    rows = re.findall(r"^\| (`[A-Z].*?) \|", CONFIGURATION, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)
    table = README[README.index("| setting |") :]
    assert set(re.findall(r"`([A-Z_]{4,})`", table[: table.index("\n\n")])) <= set(named)


def test_every_link_leads_somewhere() -> None:
    """Pictures and pages that the documents link to exist."""
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_readme_is_short() -> None:
    """The README has about 150 lines; details are in the pages of the folders."""
    assert README.count("\n") <= 160


def test_every_file_that_a_page_names_exists() -> None:
    """`messages/posting.py` in `chat/README.md` is in `chat/`, and every name beside a file is in that file."""
    for page in PAGES:
        text = page.read_text()
        for file in re.findall(r"`([a-z_/]+\.(?:py|sql|lua|ts|md|cfg|conf|yaml))`", text):
            assert any((base / file).exists() for base in (page.parent, ROOT)) or list(ROOT.glob(f"tests/**/{file}")), (
                page.name,
                file,
            )
        for name, file in re.findall(r"`([A-Za-z_.]+)` \(`([a-z_/]+\.py)`", text):
            source = next(base / file for base in (page.parent, ROOT) if (base / file).exists()).read_text()
            assert all(re.search(rf"(def|class) {part}\b", source) for part in name.split(".")), (name, file)
