"""A finding: what was looked at, how it is, and what to do about it. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

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
