"""What `tandem doctor` does: everything that can be looked at from here, as a table, and an exit code."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chat.local.databases import given_urls
from chat.shared.postgres import UNAVAILABLE, Connection
from chat.shared.probes import close_probe_session, open_probe_session
from chat.tools.doctor.checks import check_database, check_machine, check_redis
from chat.tools.doctor.finding import FILE, Finding, check_settings, is_healthy, to_json
from chat.tools.doctor.http import Site
from chat.tools.doctor.proxy_checks import check_forwarding, check_site, check_socket, check_spread, check_stream

LOGIN_SECONDS = 300.0
MARKS = {"good": ("✓", "green"), "bad": ("✗", "bold red"), "note": ("!", "yellow"), "unknown": ("–", "dim")}
console = Console(highlight=False)
Check = Callable[[Site], list[Finding]]


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """What the command was asked for; `url` may be empty."""

    url: str
    token: str
    json: bool


def doctor(asked: DoctorRequest) -> int:
    """Look and tell; the exit code is 1 when something is bad."""
    findings = asyncio.run(look(asked))
    if asked.json:
        print(orjson.dumps(to_json(findings)).decode())
    else:
        console.print(to_table(findings))
    return 0 if is_healthy(findings) else 1


async def look(asked: DoctorRequest) -> list[Finding]:
    """Everything at once: most of the time is spent waiting for signs of life."""
    given, (_, findings) = given_urls(), check_settings()
    async with logged_in(asked.token, given.database if asked.url else "") as token:
        works = [check_machine()]
        works += [check_database(given.database)] if given.database else []
        works += [check_redis(given.redis)] if given.redis else []
        works += [look_through(Site(asked.url, token))] if asked.url else []
        for found in await asyncio.gather(*works):
            findings += found
    if not asked.url:
        findings.append(Finding("public URL", "unknown", "not given", "`tandem doctor https://chat.example.org`"))
    return findings


async def look_through(site: Site) -> list[Finding]:
    """The public URL; its channels only with a login."""
    findings = await asyncio.to_thread(check_site, site)
    if findings[0].about == "public URL":
        return findings
    if not site.token:
        remedy = f"Give a token as TANDEM_TOKEN, or DATABASE_URL in {FILE}: then the doctor makes itself a login."
        return [*findings, Finding("streams and sockets", "unknown", "there is no login to open them with", remedy)]
    checks = (check_stream, check_socket, check_spread, check_forwarding)
    for found in await asyncio.gather(*(asyncio.to_thread(partial(brave, check, site)) for check in checks)):
        findings += found
    return findings


def brave(check: Check, site: Site) -> list[Finding]:
    """As `check`; a connection that breaks is a finding as well."""
    try:
        return check(site)
    except OSError as error:
        about = check.__name__.removeprefix("check_")
        return [Finding(about, "bad", f"the connection broke: {error}", "See the proxy's log.")]


@asynccontextmanager
async def logged_in(token: str, database_url: str) -> AsyncIterator[str]:
    """The token given; else one of a probe's own, for as long as this lasts; else none."""
    if token or not database_url:
        yield token
        return
    try:
        connection = await Connection.connect(database_url, connect_timeout=5, autocommit=True)
    except UNAVAILABLE:
        yield ""
        return
    async with connection:
        probe = await open_probe_session(connection, "doctor", LOGIN_SECONDS)
        yield probe.token
        await close_probe_session(connection, probe)


def to_table(findings: list[Finding]) -> Table:
    """One row each; the remedy below what is not good."""
    table = Table("", "looked at", "found, and what to do", box=None, padding=(0, 1))
    for finding in findings:
        mark, style = MARKS[finding.state]
        text = Text(finding.found, "" if finding.state == "good" else style)
        if finding.remedy:
            text.append(f"\n→ {finding.remedy}", "default")
        table.add_row(Text(mark, style), finding.about, text)
    return table
