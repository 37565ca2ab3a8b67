"""Accounts: sign up, check passwords, change profiles and passwords."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
from pydantic import ValidationError

from chat.accounts.joining import BadInvite, SignupClosed, TeamReader, record_use, use_invite
from chat.accounts.models import (
    LogIn,
    Me,
    PasswordChange,
    Profile,
    SignUp,
    User,
    fold_keywords,
    publish_profile,
    require_distinct_from_admins,
)
from chat.accounts.passwords import Hasher, check_new_password
from chat.accounts.sessions import Session, SessionDevice, Sessions, end_others, lock_user, renew_token
from chat.accounts.validation import fold_name
from chat.log.append import Change, Log
from chat.log.entry import Unplaced
from chat.log.subscriptions import NOTIFY_READER, add_subscription
from chat.shared.audit import COMMAND_LINE, Actor, record
from chat.shared.errors import ApiError, Invalid, Unauthenticated
from chat.shared.identity import hash_token
from chat.shared.postgres import Connection, Pool
from chat.shared.settings import Settings
from chat.shared.sql import load

queries = load(__file__)
FETCHES_MOST = 4


class UsernameTaken(ApiError):
    """That name is taken. Choose another one."""

    status, code = 409, "name_taken"


class BadCredentials(ApiError):
    """Wrong name or password."""

    status, code = 401, "bad_credentials"


class WrongPassword(ApiError):
    """That isn't your current password."""

    status, code = 403, "wrong_password"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with their new session. `token` is known only now."""

    user: User
    session: Session
    token: str


class Accounts:
    """Changes that users make to their accounts. `directory` is the setting.

    `greet` is called with new users in the transaction that stores them.
    """

    def __init__(self, pool: Pool, log: Log, sessions: Sessions, team: TeamReader, directory: str) -> None:
        self._pool, self._log, self._sessions = pool, log, sessions
        self.team, self._directory = team, directory
        self.greet: Callable[[Change, Sequence[int]], Awaitable[object]] = leave_alone
        self.hasher = Hasher()
        self.fetches = asyncio.Semaphore(FETCHES_MOST)  # of pictures at other servers, each in memory

    async def require_signup_open(self) -> None:
        """Raise `SignupClosed` where no one can sign up."""
        if await self.team.mode() == "closed":
            raise SignupClosed

    async def sign_up(self, form: SignUp, device: SessionDevice) -> SignedIn:
        """Return a new account with its first session.

        Raise `SignupClosed`, `BadInvite`, `UsernameTaken`, `ImitatesAdmin`.
        """
        await self.require_signup_open()
        stored = await self.hasher.hash(form.password)
        async with self._log.change() as change:
            connection = change.connection
            mode = await self.team.mode(connection)
            if mode == "closed":
                raise SignupClosed
            used = await use_invite(connection, form.invite) if form.invite else None
            if used is None and mode == "invite":
                raise BadInvite
            user = await insert_user(connection, form.name, form.display_name or form.name, stored)
            await require_distinct_from_admins(connection, user)
            if used:
                await record_use(connection, user.id, used)
            signed_in = await self.begin(connection, user, stored, device)
            await self.greet(change, [user.id])
        return signed_in

    async def begin(self, connection: Connection, user: User, stored: str, device: SessionDevice) -> SignedIn:
        """Open the first session of a new account, and record the account. `stored`: the hash of its password."""
        opened = await self._sessions.open(connection, user.id, [hash_token(stored)], device)
        assert opened is not None
        await record(connection, session_actor(user, opened[1]), "account.create", user.id, role=user.role)
        return SignedIn(user, opened[1], opened[0])

    async def check_log_in(self, form: LogIn) -> tuple[User, list[bytes]]:
        """Return the user, and the digests of the hashes that this password has or had just now.

        Raise `BadCredentials`, after the same work whether or not there is such an account.
        """
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.find_credentials, [fold_name(form.name)])).fetchone()
        *fields, stored = row or (None,)
        if not await self.hasher.verify(stored, form.password) or stored is None:
            raise BadCredentials
        user = User(*fields)
        hashes = [stored, *await self._renew(user.id, stored, form.password)]
        return user, [hash_token(one) for one in hashes]

    async def open_session(
        self, user: User, password_digests: Sequence[bytes] | None, device: SessionDevice
    ) -> SignedIn:
        """Open a session. Raise `BadCredentials` if the password has changed since, or the account is disabled."""
        async with self._pool.connection() as connection, connection.transaction():
            opened = await self._sessions.open(connection, user.id, password_digests, device)
            if opened is None:
                raise BadCredentials
            await record(connection, session_actor(user, opened[1]), "login.ok", user.id)
        return SignedIn(user, opened[1], opened[0])

    async def _renew(self, user_id: int, stored: str, password: str) -> list[str]:
        """Replace a hash made with older parameters; return the new one, if any."""
        if not self.hasher.is_old(stored):
            return []
        fresh = await self.hasher.hash(password)
        async with self._pool.connection() as connection:
            await connection.execute(queries.renew_hash, {"user_id": user_id, "stored": stored, "fresh": fresh})
        return [fresh]

    async def change_profile(self, user_id: int, profile: Profile) -> Me:
        """Change the profile and publish it; private settings go to the user's own devices. Return the user.

        Raise `Invalid` for an unknown time zone, or `ImitatesAdmin`.
        """
        await self._check_time_zone(profile.time_zone)
        async with self._log.change() as change:
            old = await lock_user(change, user_id)
            new = old.changed(profile)
            if new.user.display_name != old.user.display_name:
                await require_distinct_from_admins(change.connection, new.user)
            if new != old:
                fields = [new.user.display_name, new.user.about, new.user.time_zone, new.receipts, new.language]
                fields += [new.notify, list(new.keywords), user_id]
                await change.connection.execute(queries.set_profile, fields)
            if new.keywords != old.keywords:
                await store_keywords(change.connection, user_id, new.keywords)
            if new.user != old.user:
                await publish_profile(change, new.user, self._directory)
            if new.settings() != old.settings():
                await change.record(Unplaced("settings", user_id=user_id, data=orjson.dumps(new.settings())))
        return new

    async def _check_time_zone(self, name: str | None) -> None:
        """Raise `Invalid` if PostgreSQL, which every node shares, does not know the time zone."""
        if not name:
            return
        async with self._pool.connection() as connection:
            if not await (await connection.execute(queries.find_time_zone, [name])).fetchone():
                raise Invalid(errors=[{"field": "time_zone", "detail": "must be one like Europe/Berlin"}])

    async def change_password(
        self, actor: Actor, user_id: int, session_id: int, form: PasswordChange, secure: bool
    ) -> tuple[str, list[int]]:
        """Change the password and end all other sessions.

        Return the new token of this session and the ids of the ended ones. Raise `WrongPassword`, or `Invalid` for a
        bad new
        password.
        """
        user, stored = await self.check_password(user_id, form.old)
        check_new_password(form.new, user)
        fresh = await self.hasher.hash(form.new)
        async with self._log.change() as change:
            await lock_user(change, user_id)
            changed = {"user_id": user_id, "stored": stored, "fresh": fresh}
            if not await (await change.connection.execute(queries.set_password, changed)).fetchone():
                raise WrongPassword
            await record(change.connection, actor, "account.password", user_id)
            ended = await end_others(change, actor, user_id, session_id, "password")
            return await renew_token(change, user_id, session_id, secure), ended

    async def check_password(self, user_id: int, password: str) -> tuple[User, str]:
        """Return the user and the stored hash of this password. Raise `WrongPassword`."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(queries.read_credentials, [user_id])).fetchone()
        if row is None:
            raise Unauthenticated
        *fields, stored = row
        if not await self.hasher.verify(stored, password):
            raise WrongPassword
        return User(*fields), stored


async def leave_alone(_change: Change, _user_ids: Sequence[int]) -> None:
    """Do nothing for new users."""


def session_actor(user: User, session: Session) -> Actor:
    """Return the user as the actor, in a session that has just been opened."""
    return Actor(user.id, session.address, session.id)


async def insert_user(
    connection: Connection, name: str, display_name: str, password_hash: str, role: str = "member"
) -> User:
    """Insert a user; raise `UsernameTaken`."""
    row = await (await connection.execute(queries.insert_user, [name, display_name, password_hash, role])).fetchone()
    if row is None:
        raise UsernameTaken
    return User(row[0], name, display_name, role)


async def create(pool: Pool, name: str, password: str, display_name: str | None = None, role: str = "member") -> int:
    """Create an account from the command line, the only way to create an admin. Return its id.

    Raise `UsernameTaken`, or `Invalid` with a text that says what is wrong.
    """
    try:
        form = SignUp(name=name, password=password, display_name=display_name)
    except ValidationError as wrong:
        problems = [f"{error['loc'][0]}: {error['msg'].removeprefix('Value error, ')}" for error in wrong.errors()]
        raise Invalid("\n".join(problems)) from None
    hasher = Hasher()
    try:
        stored = await hasher.hash(form.password)
    finally:
        hasher.close()
    async with pool.connection() as connection, connection.transaction():
        user = await insert_user(connection, form.name, form.display_name or form.name, stored, role)
        await record(connection, COMMAND_LINE, "account.create", user.id, role=role)
    return user.id


async def store_keywords(connection: Connection, user_id: int, keywords: Sequence[str]) -> None:
    """Store a user's keywords as messages are searched for them."""
    await connection.execute(queries.drop_keywords, [user_id])
    if folded := list(fold_keywords(keywords)):
        firsts = [one.split(" ", 1)[0] for one in folded]
        await connection.execute(queries.insert_keywords, {"user": user_id, "folded": folded, "firsts": firsts})
        await add_subscription(connection, NOTIFY_READER, NOTIFY_READER)


# Demo accounts are marked. Their password is public, so a public server must not keep them.


async def mark_demo(connection: Connection, user_ids: list[int]) -> None:
    """Mark these accounts as the demo's."""
    await connection.execute(queries.mark_demo, [user_ids])


async def count_demo_accounts(connection: Connection) -> int:
    """Return the number of demo accounts that can log in."""
    row = await (await connection.execute(queries.count_demo)).fetchone()
    return int(row[0]) if row else 0


async def read_demo_accounts(database_url: str) -> int:
    """Return the number of demo accounts of a database that can log in."""
    async with await Connection.connect(database_url, autocommit=True) as connection:
        return await count_demo_accounts(connection)


def demo_warning(count: int) -> str:
    """Return the operator's warning about demo accounts that others can reach."""
    return (
        f"{count} demo accounts can log in with a password that everyone knows, one of them as an admin. "
        "Disable them on the dashboard before others use this server."
    )


def is_reachable(host: str, settings: Settings) -> bool:
    """Return whether others than this machine's users can reach a node that listens on `host`."""
    behind_proxy = bool(settings.trusted_proxies) or settings.cookie_secure
    return behind_proxy or not is_loopback(host)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
