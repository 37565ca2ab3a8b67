"""`tandem doctor`: run all checks, print the findings as a table or JSON, and return an exit code."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import orjson
from psycopg.errors import InsufficientPrivilege, UndefinedTable
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chat.local.databases import given_urls
from chat.shared.identity import close_probe_session, open_probe_session
from chat.shared.operator_errors import OperatorError
from chat.shared.postgres import UNAVAILABLE, connect
from chat.shared.redis import UNAVAILABLE as REDIS_UNAVAILABLE
from chat.shared.redis import open_redis
from chat.shared.registry.reporting import NodeRecord, Overview
from chat.tools.doctor.broker_checks import check_bus, check_inbox, check_outlet
from chat.tools.doctor.checks import (
    FILE,
    Finding,
    check_database,
    check_machine,
    check_redis,
    check_settings,
    is_healthy,
    to_json,
)
from chat.tools.doctor.proxy_checks import (
    Site,
    check_forwarding,
    check_nodes_alone,
    check_site,
    check_socket,
    check_spread,
    check_stream,
)

SESSION_SECONDS = 300.0
NO_SESSION: tuple[type[Exception], ...] = (*UNAVAILABLE, UndefinedTable, InsufficientPrivilege, OperatorError)
MARKS = {"good": ("✓", "green"), "bad": ("✗", "bold red"), "note": ("!", "yellow"), "unknown": ("–", "dim")}
console = Console(highlight=False, emoji=False)
Check = Callable[[Site], list[Finding]]


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """The options of the command; `url` may be empty."""

    url: str
    token: str
    json: bool


def doctor(request: DoctorRequest) -> int:
    """Run the checks and print the findings. Return 1 if anything is bad."""
    findings = asyncio.run(run_checks(request))
    if request.json:
        print(orjson.dumps(to_json(findings)).decode())
    else:
        console.print(to_table(findings))
    return 0 if is_healthy(findings) else 1


async def run_checks(request: DoctorRequest) -> list[Finding]:
    """Return the findings of all checks, which run at the same time: most of it is waiting for heartbeats."""
    given, findings = given_urls(), check_settings()
    async with open_session(request.token, given.database if request.url else "") as token:
        checks = [check_machine()]
        checks += [name_refusal("PostgreSQL", check_database(given.database))] if given.database else []
        checks += [name_refusal("Redis", check_redis(given.redis))] if given.redis else []
        checks += [check_bus(given.bus)] if given.bus not in ("", given.redis) else []
        checks += [check_inbox(given.posts_from)] if given.posts_from else []
        checks += [check_outlet(given.posts_to)] if given.posts_to else []
        checks += [check_public_url(Site(request.url, token), given.redis)] if request.url else []
        for found in await asyncio.gather(*checks):
            findings += found
    if not request.url:
        findings.append(Finding("public URL", "unknown", "not given", "`tandem doctor https://chat.example.org`"))
    return findings


async def name_refusal(about: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    """Return the findings of `check`, or one finding with the reason if its URL cannot be used."""
    try:
        return await check
    except OperatorError as error:
        return [Finding(about, "bad", "its URL cannot be used", str(error))]


async def check_public_url(site: Site, redis_url: str) -> list[Finding]:
    """Return the findings about the public URL and its nodes. Most are checked only with a session."""
    findings = await asyncio.to_thread(check_site, site)
    if findings[0].about == "public URL":
        return findings
    if not site.token:
        remedy = f"Set TANDEM_TOKEN to a session token, or DATABASE_URL in {FILE}: the doctor then creates a session."
        return [
            *findings,
            Finding("streams and sockets", "unknown", "not checked: no session to open them with", remedy),
        ]
    nodes = await read_nodes(redis_url)
    checks = (check_stream, check_socket, check_spread, check_forwarding, partial(check_nodes_alone, nodes))
    for found in await asyncio.gather(*(asyncio.to_thread(partial(run_check, check, site)) for check in checks)):
        findings += found
    return findings


def run_check(check: Check, site: Site) -> list[Finding]:
    """Run `check`. Return a finding if the connection breaks."""
    try:
        return check(site)
    except OSError as error:
        about = getattr(check, "__name__", "check_nodes").removeprefix("check_")
        return [Finding(about, "bad", f"the connection broke: {error}", "See the proxy's log.")]


async def read_nodes(redis_url: str) -> list[NodeRecord]:
    """Return the nodes that serve everything; none if the registry is not known or does not answer."""
    if not redis_url:
        return []
    try:
        async with open_redis(redis_url) as redis:
            return [node for node in await Overview(redis).nodes() if (node["state"], node["role"]) == ("up", "all")]
    except REDIS_UNAVAILABLE:
        return []


@asynccontextmanager
async def open_session(token: str, database_url: str) -> AsyncIterator[str]:
    """Yield the token given, otherwise that of a probe account during the body, otherwise an empty string."""
    if token or not database_url:
        yield token
        return
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(await connect(database_url))
            probe = await open_probe_session(connection, "doctor", SESSION_SECONDS)
        except NO_SESSION:
            yield ""  # the checks of the database say why
            return
        yield probe.token
        await close_probe_session(connection, probe)


def to_table(findings: list[Finding]) -> Table:
    """Return a table with one row per finding, and the remedy below the fault."""
    table = Table("", "check", "result, and what to do", box=None, padding=(0, 1))
    for finding in findings:
        mark, style = MARKS[finding.state]
        text = Text(finding.found, "" if finding.state == "good" else style)
        if finding.remedy:
            text.append(f"\n→ {finding.remedy}", "default")
        table.add_row(Text(mark, style), finding.about, text)
    return table
