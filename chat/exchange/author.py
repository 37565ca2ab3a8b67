"""An author of a chat from elsewhere, and the account name that always stands for him. Pure."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chat.accounts.validation import NAME, RESERVED, DisplayName

NAME_MOST = 32

DIGEST = 8


class AuthorNames(BaseModel):
    """As they stand in the request."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    names: Annotated[list[DisplayName], Field(min_length=1)]


@lru_cache(4096)
def account_name(author: str) -> str:
    """What can be an account's name is one; anything else is spelt in plain letters and told apart by a digest."""
    if NAME.fullmatch(author) and author.lower() not in RESERVED:
        return author.lower()
    letters = unicodedata.normalize("NFKD", author).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")[: NAME_MOST - DIGEST - 1].strip("-")
    return f"{plain or 'person'}-{hashlib.sha256(author.encode()).hexdigest()[:DIGEST]}"
