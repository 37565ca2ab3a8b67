"""Findings of the doctor: what was checked, its state, and what to change. Also the findings about the settings."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from chat.shared.settings import BadSettings, read_settings

State = Literal["good", "bad", "note", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding. `note`: works, but could be better. `unknown`: not checked. `remedy`: what to change in which file."""

    about: str
    state: State
    found: str
    remedy: str = ""


def good(about: str, found: str) -> Finding:
    """Return a finding without a fault."""
    return Finding(about, "good", found)


def require(about: str, fine: bool, found: str, remedy: str) -> Finding:
    """Return a finding that is bad unless `fine`."""
    return Finding(about, "good", found) if fine else Finding(about, "bad", found, remedy)


def recommend(about: str, fine: bool, found: str, remedy: str) -> Finding:
    """Return a finding that is a note unless `fine`, for faults that may stay."""
    return Finding(about, "good", found) if fine else Finding(about, "note", found, remedy)


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Return whether nothing is bad."""
    return all(finding.state != "bad" for finding in findings)


def to_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the findings as JSON values."""
    return [asdict(finding) for finding in findings]


FILE = "the environment or .env"


def check_settings() -> list[Finding]:
    """Return findings about the settings, read as a node would read them."""
    try:
        settings = read_settings()
    except BadSettings as wrong:
        remedy = f"Correct it in {FILE}. deploy/configuration.md lists all settings."
        return [Finding("settings", rate(line), line, remedy) for line in str(wrong).splitlines()]
    return [
        good("settings", "all valid"),
        recommend(
            "RATE_LIMITS",
            settings.rate_limits,
            "on" if settings.rate_limits else "off: password guessing and flooding are not limited",
            f"Set RATE_LIMITS=on in {FILE}.",
        ),
    ]


def rate(line: str) -> State:
    """Return the state for an invalid setting.

    A missing URL is unknown, because the doctor may run on another machine. With any other fault a node does not start.
    """
    return "unknown" if line.startswith(("DATABASE_URL: Field", "REDIS_URL: Field")) else "bad"
