"""What the command line does with accounts, each in a short life of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chat.accounts.accounts import create
from chat.accounts.form import InviteForm
from chat.accounts.invites import make_invite
from chat.shared.postgres import UNAVAILABLE, Pool, make_pool
from chat.up.trouble import DatabaseAway
from chat.up.urls import given_urls

T = TypeVar("T")


def add_account(name: str, password: str, role: str = "member") -> int:
    """Make an account in the database of DATABASE_URL; its id. Raises `NameTaken` or `Invalid`."""
    return with_pool(lambda pool: create(pool, name, password, role=role))


def add_invite(uses: int, days: int) -> str:
    """Make an invitation; its code."""
    return with_pool(lambda pool: make_invite(pool, InviteForm(uses=uses, days=days))).code


def with_pool(work: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `work` with connections to DATABASE_URL; raises `DatabaseAway`."""

    async def run() -> T:
        async with make_pool(given_urls().database) as pool:
            return await work(pool)

    try:
        return asyncio.run(run())
    except UNAVAILABLE as reason:
        raise DatabaseAway(str(reason)) from None
