"""The user and session of a token. Every request needs them, so they are cached until the log reports a change.

Also the accounts and sessions of probes.
"""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from sys import intern
from typing import Any, Literal
from urllib.parse import unquote

from chat.shared.errors import Forbidden, Invalid, NotFound, Unauthenticated
from chat.shared.postgres import UNAVAILABLE, Connection, Pool
from chat.shared.sql import load
from chat.shared.tasks import Batcher

queries = load(__file__)
REMEMBERED = 100_000
FRESH_SECONDS = 30.0
TOUCH_SECONDS = 60.0
ACTED_MOST = 1_000  # characters of the header Tandem-User
PROOF_SECONDS = 600.0  # how long a log-in, or a later proof, allows sensitive changes
Scope = Literal[
    "messages:read",
    "messages:write",
    "conversations:write",
    "users:read",
    "users:write",
    "presence:read",
    "act-as",
    "admin",
]


class MissingScope(Forbidden):
    """This API key lacks a scope that the request needs."""

    code = "missing_scope"


class NotForKeys(Forbidden):
    """API keys cannot do this. Log in as a person."""

    code = "not_for_keys"


class LimitedKey(Forbidden):
    """This API key is limited to some conversations, and this request concerns others."""

    code = "limited_key"


class UnknownActed(Forbidden):
    """The header Tandem-User names no user. It takes a user's id, or ext: and an external id."""

    code = "unknown_user"


class DisabledActed(Forbidden):
    """The user in the header Tandem-User is disabled. Enable the account first."""

    code = "user_disabled"


class MoreRights(Forbidden):
    """This user is an admin. Only an admin, or a key with the scope admin made by someone who is an admin, can."""

    code = "more_rights"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """The limits of an API key. `conversations`: None for all that its bot is a member of.

    `acting`: the key acts for a user other than its bot. `maker_id`: the user who made it; None: the command line.
    """

    scopes: frozenset[str]
    conversations: frozenset[int] | None
    bot_id: int
    acting: bool = False
    maker_id: int | None = None

    def check(self, scope: str | None, conversation_id: int | None) -> None:
        """Raise an error unless the key may send a request that needs this scope and concerns this conversation.

        `scope`: None for a request that no key may send. `conversation_id`: None if the URL names no conversation.
        """
        if scope is None:
            raise NotForKeys
        if scope not in self.scopes:
            lost = ", or its owner is not an admin anymore" if scope == "admin" else ""
            raise MissingScope(f"This API key lacks the scope {scope}{lost}.")
        if self.conversations is None:
            return
        if conversation_id is None and (self.acting or scope == "conversations:write"):
            raise LimitedKey  # the user may be a member of others; the bot cannot be
        if conversation_id is not None and conversation_id not in self.conversations:
            raise NotFound


@dataclass(frozen=True, slots=True)
class Member:
    """The user of a request, and its session. `expires_in`: seconds until it expires, at `looked_up`."""

    user_id: int
    session_id: int
    name: str
    role: str
    expires_in: float
    looked_up: float
    withheld: bool = False  # an admin who has no admin rights until they set up a second factor
    host_cookie: bool = False  # a cookie other than `__Host-tandem` is no proof of this session
    key: KeyLimits | None = None  # of an API key; None: a person's session

    @property
    def payer(self) -> int:
        """Return the user whose rate limits apply: the bot of a key, also while it acts for others."""
        return self.user_id if self.key is None else self.key.bot_id

    @property
    def only(self) -> list[int] | None:
        """Return the conversations to which the caller's API key is limited; None for all that they may read."""
        return None if self.key is None or self.key.conversations is None else sorted(self.key.conversations)

    def may(self, scope: Scope) -> bool:
        """Return whether the caller is a person, or an API key with this scope."""
        return self.key is None or scope in self.key.scopes

    @property
    def acting(self) -> bool:
        """Return whether an API key acts for this user."""
        return self.key is not None and self.key.acting

    def seconds_left(self) -> float:
        """Return how long the session lasts, by the database's clock when it was read and this node's clock since."""
        return self.expires_in - (time.monotonic() - self.looked_up)


def hash_token(token: str) -> bytes:
    """Return the hash under which a token is stored. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()  # a header may hold any bytes


class Identities:
    """Reads the sessions of tokens in batches, and caches them for 30 s or until `forget`."""

    def __init__(self, pool: Pool, idle_days: int, admin_mfa: bool = False) -> None:
        self._pool, self._idle_days, self._admin_mfa = pool, idle_days, admin_mfa
        self._known: OrderedDict[bytes, Member] = OrderedDict()
        self._seen: dict[int, bytes] = {}
        self._ended: OrderedDict[int, None] = OrderedDict()
        self._changed: OrderedDict[int, float] = OrderedDict()  # by user: when something about them last changed
        self._touched: set[int] = set()
        self._batcher = Batcher[tuple[bytes, bool], Member](self._read, batch=500, limit=20_000)
        self._acted: OrderedDict[tuple[int, str], Member] = OrderedDict()  # by the key's session and Tandem-User
        self._barred: OrderedDict[int, float] = OrderedDict()  # by user: since when keys must ask again to act for them
        self._acting = Batcher[tuple[Member, str], Member](self._read_acted, batch=500, limit=20_000)
        # Opens the session of an unknown token, if another part of the server knows what it is.
        self.admit: Callable[[str], Awaitable[bool]] | None = None

    async def of_token(
        self, token: str, before_read: Callable[[], None] | None = None, *, remember: bool = True
    ) -> Member:
        """Return the member; raise `Unauthenticated` if the session is unknown, ended or expired.

        `before_read` is called if the token is not in the cache, and may raise. Streams pass `remember=False`: they ask
        once, and ten thousand at once would leave 500 bytes each in the cache.
        """
        digest = hash_token(token)
        if before_read is not None and digest not in self._known:
            before_read()
        try:
            return await self.of_digest(digest, remember=remember)
        except Unauthenticated:
            if self.admit is None or not await self.admit(token):
                raise
        return await self.of_digest(digest, remember=remember)

    async def of_digest(self, digest: bytes, *, remember: bool = True) -> Member:
        """Return the member by the token's hash, which can be stored elsewhere without revealing the token."""
        member = self._known.get(digest)
        if member is None or time.monotonic() - member.looked_up > FRESH_SECONDS:
            member = await self._batcher.submit((digest, remember))
        while member.looked_up <= self._changed_at(member):
            member = await self._batcher.submit((digest, remember))
        self.check(member)
        self._touched.add(member.session_id)
        return member

    def _changed_at(self, member: Member) -> float:
        """Return when the member, or the user who made the key, last changed."""
        changed = self._changed.get(member.user_id, 0.0)
        if member.key is None or member.key.maker_id is None:
            return changed
        return max(changed, self._changed.get(member.key.maker_id, 0.0))

    def check(self, member: Member) -> None:
        """Raise `Unauthenticated` if the session has expired, or ended since it was read."""
        if member.seconds_left() <= 0 or member.session_id in self._ended:
            raise Unauthenticated
        if member.acting and member.looked_up <= self._barred.get(member.user_id, 0.0):
            raise Unauthenticated

    async def run(self) -> None:
        """Read what is asked for, forever."""
        await asyncio.gather(self._batcher.run(), self._acting.run())

    def waiting(self) -> int:
        """Return how many look-ups wait."""
        return self._batcher.waiting() + self._acting.waiting()

    async def act_as(self, key: Member, named: Sequence[str], *, remember: bool = True) -> Member:
        """Return the user whom an API key acts for; `named`: the values of the header Tandem-User.

        Raise `MissingScope`, `Invalid`, `UnknownActed`, `DisabledActed`, `MoreRights`.
        """
        if key.key is None or "act-as" not in key.key.scopes:
            raise MissingScope("The header Tandem-User needs an API key with the scope act-as.")
        if len(named) > 1 or len(named[0]) > ACTED_MOST:
            raise Invalid(errors=[{"field": "Tandem-User", "detail": "one user id, or ext: and one external id"}])
        place = key.session_id, named[0]
        member = self._acted.get(place)
        if member is None or time.monotonic() - member.looked_up > FRESH_SECONDS:
            member = await self._acting.submit((key, named[0]))
        while member.looked_up <= self._changed_at(member):
            member = await self._acting.submit((key, named[0]))
        self.check(member)
        if remember:
            self._acted[place] = member
            self._acted.move_to_end(place)
            if len(self._acted) > REMEMBERED:
                self._acted.popitem(last=False)
        return member

    async def _read_acted(self, asked: list[tuple[Member, str]]) -> list[Member | Exception]:
        ids, externals = zip(*(parse_acted(named) for _, named in asked), strict=True)
        fields = {"ids": list(ids), "externals": list(externals)}
        now = time.monotonic()
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(queries.find_acted, fields)).fetchall()
        found = {row[0] - 1: row[1:] for row in rows}
        return [make_acted(key, found.get(n), now) for n, (key, _) in enumerate(asked)]

    async def proof_left(self, session_id: int) -> float:
        """Return for how many more seconds sensitive changes need no new proof; 0 when they need one now.

        Read from the database each time: a proof given on one node counts on all of them at once.
        """
        async with self._pool.connection() as connection:
            asked = {"session_id": session_id, "seconds": PROOF_SECONDS}
            row = await (await connection.execute(queries.find_proof, asked)).fetchone()
        return max(0.0, PROOF_SECONDS - row[0]) if row else 0.0

    async def note_proof(self, session_id: int) -> None:
        """Store that the user of this session has just proved who they are."""
        async with self._pool.connection() as connection:
            await connection.execute(queries.note_proof, [session_id])

    async def keep_touching(self) -> None:
        """Store once a minute which sessions were used, so that only idle ones expire."""
        while True:
            await asyncio.sleep(TOUCH_SECONDS)
            touched, self._touched = self._touched, set()
            self._forget_stale()
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(queries.touch_sessions, [sorted(touched)])
            except UNAVAILABLE:
                self._touched |= touched

    def _forget_stale(self) -> None:
        """Drop entries older than 30 s, which would be read again anyway; the oldest come first."""
        stale = time.monotonic() - FRESH_SECONDS
        while self._known and (member := next(iter(self._known.values()))).looked_up < stale:
            self._known.popitem(last=False)
            self._seen.pop(member.session_id, None)

    def forget(self, session_id: int) -> None:
        """Forget an ended session; a read that is in progress must not bring it back."""
        self._ended[session_id] = None
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        self._known.pop(self._seen.pop(session_id, b""), None)

    def bar(self, user_id: int) -> None:
        """Refuse what keys have opened for this user: all sessions of the user have ended."""
        self._barred[user_id] = time.monotonic()
        self._barred.move_to_end(user_id)
        if len(self._barred) > REMEMBERED:
            self._barred.popitem(last=False)
        self.forget_user(user_id)

    def forget_user(self, user_id: int) -> None:
        """Read this user's sessions again, because the user has changed; also those being read at the moment."""
        self._changed[user_id] = time.monotonic()
        self._changed.move_to_end(user_id)
        if len(self._changed) > REMEMBERED:
            self._changed.popitem(last=False)
        for digest in [digest for digest, member in self._known.items() if member.user_id == user_id]:
            del self._known[digest]  # keys that the user made are found by `_changed_at`

    async def _read(self, wanted: list[tuple[bytes, bool]]) -> list[Member | Exception]:
        digests = [digest for digest, _ in wanted]
        now = time.monotonic()
        async with self._pool.connection() as connection:
            asked = {"digests": digests, "idle_days": self._idle_days, "admin_mfa": self._admin_mfa}
            rows = await (await connection.execute(queries.find_sessions, asked)).fetchall()
        found = {bytes(row[0]): read_member(row[1:], now) for row in rows}
        for digest, remember in wanted:
            if remember and digest in found:
                self._remember(digest, found[digest])
        return [found.get(digest) or Unauthenticated() for digest in digests]

    def _remember(self, digest: bytes, member: Member) -> None:
        self._known[digest] = member
        self._known.move_to_end(digest)
        self._seen[member.session_id] = digest
        if len(self._known) > REMEMBERED:
            _, oldest = self._known.popitem(last=False)
            self._seen.pop(oldest.session_id, None)


def read_member(row: Sequence[Any], now: float) -> Member:
    """Return the member of a row of `find_sessions`, without the token's hash."""
    user_id, session_id, name, role, host_cookie, withheld, seconds, scopes, conversations, maker = row
    key = None
    if scopes is not None:
        places = None if conversations is None else frozenset(conversations)
        key = KeyLimits(frozenset(scopes), places, user_id, maker_id=maker)
    role = intern("member" if withheld else role)
    return Member(user_id, session_id, name, role, seconds, now, withheld, host_cookie, key)


def parse_acted(text: str) -> tuple[int | None, str | None]:
    """Return the user id or the external id in the header Tandem-User; neither for another text.

    An external id may be percent-encoded, because headers of many clients take no other letters.
    """
    if text.startswith("ext:"):
        given = text.removeprefix("ext:").encode(errors="surrogateescape").decode(errors="replace")
        return None, unquote(given).replace("\0", "")
    return (int(text) if text.isascii() and text.isdigit() and len(text) < 17 else None), None


def make_acted(key: Member, row: Sequence[Any] | None, now: float) -> Member | Exception:
    """Return the user whom a key acts for, by a row of `find_acted`, or the error if the key may not."""
    if row is None:
        return UnknownActed()
    user_id, name, role, disabled = row
    if disabled:
        return DisabledActed()
    if role == "admin" and key.role != "admin":
        return MoreRights()
    assert key.key is not None
    limits = replace(key.key, acting=True)
    return replace(
        key, user_id=user_id, name=name, role=intern(role), expires_in=key.seconds_left(), looked_up=now, key=limits
    )


# Probe accounts, with which Tandem monitors itself. Their ids are reserved; no list and no figure includes them.

FIRST_PROBE = 2**53 - 2**32  # as in is_probe() in the database


def is_probe(user_id: int) -> bool:
    """Return whether this is the id of a probe account, or of a conversation of probes."""
    return user_id >= FIRST_PROBE


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe account with a session."""

    id: int
    token: str


async def open_probe_session(connection: Connection, name: str, seconds: float) -> Probe:
    """Return the probe account of this name with a new session. Its name has a space, which no user's name has."""
    while (row := await (await connection.execute(queries.find_probe, [f"probe {name}"])).fetchone()) is None:
        await connection.execute(queries.insert_probe, {"first": FIRST_PROBE, "name": f"probe {name}"})
    token = secrets.token_urlsafe(32)
    await connection.execute(queries.delete_probe_sessions, [row[0]])
    await connection.execute(queries.insert_probe_session, [row[0], hash_token(token), seconds])
    return Probe(row[0], token)


async def close_probe_session(connection: Connection, probe: Probe) -> None:
    """End the probe's session."""
    await connection.execute(queries.delete_probe_sessions, [probe.id])
