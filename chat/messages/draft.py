"""A draft: what somebody wants to say, checked; or a named refusal. Pure."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

BODY_MOST = 16_000


def check_text(text: str) -> str:
    """Text that PostgreSQL and every reader can hold: no NUL, and not only white space."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    if not text.strip():
        raise ValueError("must not be empty")
    return text


Text = Annotated[str, Field(min_length=1, max_length=BODY_MOST), AfterValidator(check_text)]
ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.~-]+$")]


class Draft(BaseModel):
    """`client_id` is the sender's own name for it: posting it again finds the first one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    body: Text
    client_id: ClientId


class AddressedDraft(Draft):
    """A draft in a batch: it names its conversation."""

    conversation: Annotated[int, Field(ge=1, lt=2**53)]


class DraftBatch(BaseModel):
    """What an integration posts at once; each message is judged on its own, so none is checked here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: Annotated[list[object], Field(min_length=1)]
