"""What somebody asks of moderation, checked field by field. Pure."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chat.conversations.drafts import Asked
from chat.messages.drafts import check_words

REASON_MOST = 500


def check_note(text: str) -> str:
    """As a message's text, but it may be empty."""
    return check_words(text) if text else ""


Note = Annotated[str, Field(max_length=REASON_MOST), AfterValidator(check_note)]

Reason = Annotated[str, Field(min_length=1, max_length=REASON_MOST), AfterValidator(check_words)]

Outcome = Literal["dismissed", "acted"]


class BanForm(Asked):
    """Why, for those who run the conversation."""

    reason: Note = ""


class LinkForm(Asked):
    """How many it lets in, and for how long."""

    uses: Annotated[int, Field(ge=1, le=10_000)] = 100
    days: Annotated[int, Field(ge=1, le=365)] = 7


class JoinForm(Asked):
    """The code of a link."""

    code: Annotated[str, Field(min_length=1, max_length=100)]


class ReportForm(Asked):
    """What is wrong with a message."""

    reason: Reason


class Resolution(Asked):
    """What came of a report."""

    outcome: Outcome
    note: Note = ""
