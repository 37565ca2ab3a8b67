"""A finding: what was looked at, how it is, and what to do about it. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from chat.shared.settings import BadSettings, Settings, read_settings

State = Literal["good", "bad", "note", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`note`: works, and could be better; `unknown`: could not be looked at. `remedy`: what to change in which file."""

    about: str
    state: State
    found: str
    remedy: str = ""


def good(about: str, found: str) -> Finding:
    """As it should be."""
    return Finding(about, "good", found)


def judge(about: str, fine: bool, found: str, remedy: str) -> Finding:
    """Good, or bad and then with a remedy."""
    return Finding(about, "good", found) if fine else Finding(about, "bad", found, remedy)


def advise(about: str, fine: bool, found: str, remedy: str) -> Finding:
    """As `judge`, of what may stay as it is."""
    return Finding(about, "good", found) if fine else Finding(about, "note", found, remedy)


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Is nothing bad?"""
    return all(finding.state != "bad" for finding in findings)


def to_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """For machines."""
    return [asdict(finding) for finding in findings]


# The doctor reads the settings, as a node would.

FILE = "the environment, or .env"


def check_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings, None where they cannot be read, and what is to be said of them."""
    try:
        settings = read_settings()
    except BadSettings as wrong:
        remedy = f"Set it right in {FILE}; README.md has the table of settings."
        return None, [Finding("settings", rate(line), line, remedy) for line in str(wrong).splitlines()]
    return settings, [
        good("settings", "all can be read"),
        advise(
            "RATE_LIMITS",
            settings.rate_limits,
            "on" if settings.rate_limits else "off: nothing keeps anybody from guessing passwords or flooding",
            f"Set RATE_LIMITS=on in {FILE}.",
        ),
    ]


def rate(line: str) -> State:
    """A missing URL is no fault where the doctor looks from somewhere else; a node would not start with the rest."""
    return "unknown" if line.startswith(("DATABASE_URL: Field", "REDIS_URL: Field")) else "bad"
