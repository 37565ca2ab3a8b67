"""Importing the authors of another chat. An author without an account gets one that cannot log in."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chat.accounts.validation import DisplayName, check_new_name
from chat.conversations.memberships import add_members, check_users, lock_access, require_capacity
from chat.conversations.permissions import Access
from chat.conversations.views import introduce
from chat.log.append import Change, Log
from chat.model.errors import Direct
from chat.shared.audit import Actor, record
from chat.shared.errors import AdminsOnly, Invalid
from chat.shared.identity import Member
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)


async def import_authors(
    log: Log, settings: Settings, member: Member, actor: Actor, conversation_id: int, authors: Sequence[str]
) -> list[int]:
    """Return the user ids of the authors, in order, after making each a member of the conversation.

    Only for admins, in a conversation that they manage. Missing accounts are created.
    """
    if len(authors) > settings.max_members_added:
        raise Invalid(errors=[{"field": "names", "detail": f"at most {settings.max_members_added} at once"}])
    async with log.change() as change:
        access = await lock_access(change, conversation_id, member.user_id)
        check_rights(access, member)
        names = {account_name(author): author for author in authors}
        ids = await ensure_accounts(change, names)
        await record(change.connection, actor, "account.import", conversation=conversation_id, people=len(ids))
        await add_missing(change, access, settings, sorted(ids.values()))
    return [ids[account_name(author)] for author in authors]


def check_rights(access: Access, member: Member) -> None:
    """Raise an error unless the admin may import into this conversation."""
    if member.role != "admin":
        raise AdminsOnly
    if access.conversation.kind == "direct":
        raise Direct
    access.require_manager()
    access.require_open()


async def ensure_accounts(change: Change, names: dict[str, str]) -> dict[str, int]:
    """Return `{account name: user id}`, creating missing accounts.

    The accounts are locked in the order of their names, so that two imports at once do not deadlock.
    """
    ordered = sorted(names)
    run = change.connection.execute
    await run(queries.insert_missing, [ordered, [names[name] for name in ordered]])
    rows = await (await run(queries.find_named, [ordered])).fetchall()
    return {row[0]: row[1] for row in rows}


async def add_missing(change: Change, access: Access, settings: Settings, user_ids: list[int]) -> None:
    """Add those users who are not members yet."""
    rows = await (await change.connection.execute(queries.find_missing, [user_ids, access.conversation.id])).fetchall()
    if missing := [row[0] for row in rows]:
        await require_capacity(change, access, settings.max_group_members, len(missing))
        await check_users(change, access.conversation.id, missing, settings.conversations_per_person)
        await add_members(change, access.conversation, dict.fromkeys(missing, "member"))
        for user_id in missing:
            await introduce(change, user_id, access.conversation.id)


# Account names of authors. Pure: the same author always gets the same name.

MAX_NAME = 32
DIGEST_LENGTH = 8


class AuthorNames(BaseModel):
    """The request: author names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    names: Annotated[list[DisplayName], Field(min_length=1)]


@lru_cache(4096)
def account_name(author: str) -> str:
    """Return the account name for an author.

    A name that is allowed is kept. Any other is spelled in plain letters, with a digest that keeps names apart.
    """
    try:
        return check_new_name(author)
    except ValueError:
        pass
    letters = unicodedata.normalize("NFKD", author).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")[: MAX_NAME - DIGEST_LENGTH - 1].strip("-")
    return f"{plain or 'person'}-{hashlib.sha256(author.encode()).hexdigest()[:DIGEST_LENGTH]}"
