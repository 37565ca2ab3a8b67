"""What the command line does with accounts, each in a short life of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg

from chat.accounts.accounts import create
from chat.accounts.form import InviteForm
from chat.accounts.invites import make_invite
from chat.accounts.reset import reset_password
from chat.shared.postgres import Pool, make_pool

T = TypeVar("T")


def add_account(database_url: str, name: str, password: str, role: str = "member") -> int:
    """Make an account; its id. Raises `NameTaken`, `Invalid`, or that the database is away."""
    return with_pool(database_url, lambda pool: create(pool, name, password, role=role))


def give_password(database_url: str, name: str, password: str) -> None:
    """A new password, and no login left. Raises `NotFound`, `Invalid`, or that the database is away."""
    with_pool(database_url, lambda pool: reset_password(pool, name, password))


def add_invite(database_url: str, uses: int, days: int) -> str:
    """Make an invitation; its code."""
    return with_pool(database_url, lambda pool: make_invite(pool, InviteForm(uses=uses, days=days))).code


def with_pool(database_url: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Run `work` with connections to the database."""

    async def run() -> T:
        async with await psycopg.AsyncConnection.connect(database_url, connect_timeout=5):
            pass  # a pool would try again and again, and complain each time, before it says that nobody is there
        async with make_pool(database_url) as pool:
            return await work(pool)

    return asyncio.run(run())
