"""The accounts and conversations that an import writes to, found or created."""

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson

from chat.accounts.accounts import store_keywords
from chat.accounts.validation import NAME
from chat.log.append import Change
from chat.model.conversation import name_keys
from chat.model.types import NAME_MOST
from chat.shared.appearance import look_key
from chat.shared.postgres import Connection
from chat.shared.sql import load
from chat.transfer.errors import BadPeople, UnknownAccounts
from chat.transfer.records import BlockRecord, ConversationRecord, Key, UserRecord
from chat.transfer.text import MAX_NAME as ACCOUNT_MOST
from chat.transfer.text import digest

queries = load(__file__)
MAX_CACHED = 100_000  # names
MAX_NAMES = 100  # with numbers; then names get a digest


@dataclass(frozen=True, slots=True)
class Options:
    """The operator's decisions about users.

    `people`: names of accounts here by ids, names or e-mail addresses of the source, case-folded. `admins`: admins of
    the source become admins of this server. A Tandem export keeps its admins in any case.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    admins: bool = False

    def find(self, user: UserRecord) -> str | None:
        """Return the name of the account here, if the user is listed."""
        listed = (self.people.get(key.casefold()) for key in (user.id, user.name, user.email) if key)
        return next((name for name in listed if name), None)


def read_people(path: Path) -> dict[str, str]:
    """Read lines of `id or e-mail there,username here`. Raise `BadPeople` for a line that has not two fields."""
    names: dict[str, str] = {}
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        for number, row in enumerate(csv.reader(file), 1):
            filled = [one.strip() for one in row]
            if len(filled) != 2 or not all(filled):
                if any(filled):
                    raise BadPeople(path, number)
                continue
            names[filled[0].casefold()] = filled[1].lstrip("@").lower()
    return names


@dataclass(frozen=True, slots=True)
class Identity:
    """The origin of a source's users and conversations.

    Without an origin, users and channels are matched by name. `own`: the source is an export of this very server.
    `exact`: keep the source's ids if they are free. `fingerprint`: of the file.
    """

    origin: str | None
    exact: bool = False
    own: bool = False
    fingerprint: str = ""


class ImportedUsers:
    """Ids of users by their names in the file, which are unique there. `find_records` returns their records.

    An account that exists stays as it is; a new one cannot log in. `renamed`: the names here of those who have another.
    """

    def __init__(
        self, identity: Identity, options: Options, find_records: Callable[[Iterable[str]], dict[str, UserRecord]]
    ) -> None:
        self._identity, self._options, self._find_records = identity, options, find_records
        self._ids: dict[str, int] = {}
        self.renamed: dict[str, str] = {}
        self.created: set[int] = set()

    def __getitem__(self, name: str) -> int:
        return self._ids[name]

    async def check_people(self, connection: Connection) -> None:
        """Raise `UnknownAccounts` if the operator has listed accounts that do not exist."""
        listed = sorted(set(self._options.people.values()))
        if listed and (missing := sorted(set(listed) - (await self._accounts(connection, listed)).keys())):
            raise UnknownAccounts(missing)

    async def ensure(self, connection: Connection, names: Iterable[str]) -> None:
        """Find or create the accounts of all these users. A user without a record is shown by the name."""
        if len(self._ids) > MAX_CACHED:
            self._ids.clear()
        if not (wanted := sorted({name for name in names if name not in self._ids})):
            return
        known = self._find_records(wanted)
        users = [known.get(name) or UserRecord(name=name, display_name=name) for name in wanted]
        for find in (self._find_imported, self._find_listed, self._find_named, self._create):
            if users := [user for user in users if user.name not in self._ids]:
                await find(connection, users)

    def _set(self, user: UserRecord, user_id: int, name: str) -> None:
        self._ids[user.name] = user_id
        if name != user.name and NAME.fullmatch(name):  # not the name of a deleted account
            self.renamed[user.name] = name

    async def _accounts(self, connection: Connection, names: Iterable[str]) -> dict[str, int]:
        return dict(await (await connection.execute(queries.find_users, [sorted(set(names))])).fetchall())

    async def _find_imported(self, connection: Connection, users: Sequence[UserRecord]) -> None:
        """Find users of the same origin by their ids. Imports of one origin wait for each other from then on."""
        if self._identity.origin is None:
            return
        await connection.execute(queries.lock_origin, [self._identity.origin])
        by_key = {key: user for user in users for key in (key_of(user), hidden_key(key_of(user)))}
        rows = await connection.execute(queries.find_imported, [self._identity.origin, list(by_key)])
        for key, user_id, name in await rows.fetchall():
            self._set(by_key[key], user_id, name)

    async def _find_listed(self, connection: Connection, users: Sequence[UserRecord]) -> None:
        await self._use_accounts(connection, {user: name for user in users if (name := self._options.find(user))})

    async def _find_named(self, connection: Connection, users: Sequence[UserRecord]) -> None:
        if self._identity.origin is None or self._identity.own:
            await self._use_accounts(connection, {user: user.name for user in users})

    async def _use_accounts(self, connection: Connection, names: Mapping[UserRecord, str]) -> None:
        """Use the accounts with these names, as far as they exist."""
        ids = await self._accounts(connection, names.values()) if names else {}
        found = [(user, ids[name]) for user, name in names.items() if name in ids]
        for user, user_id in found:
            self._set(user, user_id, names[user])
        await self._note(connection, found, None)

    async def _create(self, connection: Connection, users: Sequence[UserRecord]) -> None:
        """Create accounts, each with the first free name."""
        waiting = [(user, 0) for user in users]
        while waiting:
            tried: dict[str, tuple[UserRecord, int]] = {}
            for user, attempt in waiting:
                tried.setdefault(self._name(user, attempt), (user, attempt))
            rows = [self._row(user, name, attempt) for name, (user, attempt) in sorted(tried.items())]
            made = await connection.execute(queries.insert_users, [*map(list, zip(*rows, strict=True))])
            ids: dict[str, int] = dict(await made.fetchall())
            for name, user_id in ids.items():
                self._set(tried[name][0], user_id, name)
            self.created |= set(ids.values())
            created = [(tried[name][0], user_id) for name, user_id in ids.items()]
            for user, user_id in created:
                if user.keywords:
                    await store_keywords(connection, user_id, user.keywords)
            await self._note(connection, created, self._identity.fingerprint)
            if self._identity.exact and ids:
                await connection.execute(queries.reserve_user_id, [max(ids.values())])
            failed = {user.name for name, (user, _) in tried.items() if name not in ids}
            waiting = [
                (user, attempt + (user.name in failed)) for user, attempt in waiting if user.name not in self._ids
            ]

    def _row(self, user: UserRecord, name: str, attempt: int) -> tuple[int | str | bool | datetime | None, ...]:
        """Return the columns of `insert_users`. The first attempt keeps the id of a Tandem export."""
        exact = self._identity.exact
        id_ = int(user.id) if exact and not attempt and user.id and user.id.isdecimal() else None
        role = user.role if exact or self._options.admins else "member"
        known = user.display_name, role, user.about, user.time_zone, user.receipts, user.language, user.notify
        return id_, name, *known, orjson.dumps(user.keywords).decode(), user.created_at, user.disabled_at

    def _name(self, user: UserRecord, attempt: int) -> str:
        number = attempt if self._identity.exact and attempt else attempt + 1
        if number == 1:
            return user.name
        more = str(number) if number < MAX_NAMES else f"-{digest(key_of(user), str(number))[:8]}"
        return user.name[: ACCOUNT_MOST - len(more)] + more

    async def _note(self, connection: Connection, users: Sequence[tuple[UserRecord, int]], created: str | None) -> None:
        """Remember whose account each of these is."""
        if self._identity.origin is not None and users:
            rows = [(key_of(user), user_id, user.email) for user, user_id in users]
            await connection.execute(
                queries.insert_imported, [self._identity.origin, created, *map(list, zip(*rows, strict=True))]
            )

    async def add_blocks(self, change: Change, blocks: Sequence[BlockRecord]) -> None:
        """Store blocks, and mark existing direct messages between the users as blocked."""
        pairs = [(self[one.user], self[one.blocked]) for one in blocks if self[one.user] != self[one.blocked]]
        if pairs:
            await change.connection.execute(queries.insert_blocks, [*map(list, zip(*pairs, strict=True))])
            await change.connection.execute(queries.mark_blocked, [[pair_of(*pair) for pair in pairs]])


def key_of(user: UserRecord) -> str:
    """Return what identifies the user within the origin."""
    return user.id or user.name


def hidden_key(key: str) -> str:
    """Return the key of a user whose account was deleted here: its digest, so that no import creates them again."""
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def pair_of(first: int, second: int) -> str:
    """Return the key of the direct message between two users."""
    return "{}:{}".format(*sorted((first, second)))


class UnknownConversation(KeyError):
    """A record names a conversation that no earlier record describes."""


class ImportedConversations:
    """Ids of conversations by the source's keys. A key always leads to the same conversation, even if that is renamed.

    The origin is put before the keys. Without one, a key is what the name of a channel looks like. `renamed`: the names
    here by the case-folded names there, of channels that have another name here.
    """

    def __init__(self, identity: Identity, users: ImportedUsers) -> None:
        self._identity, self._users = identity, users
        self._ids: dict[Key, int] = {}
        self.renamed: dict[str, str] = {}
        self._same: set[str] = set()  # names that a channel of the source has here, too
        self.created: set[int] = set()

    def __getitem__(self, key: Key) -> int:
        return self._ids[key]

    def ids(self) -> list[int]:
        """Return the ids of all known conversations."""
        return sorted(set(self._ids.values()))

    async def find(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Find conversations that are not known yet. Raise `UnknownConversation`."""
        wanted = {key for key in keys if key not in self._ids}
        if wanted:
            await self._find(connection, wanted)
            if missing := wanted - self._ids.keys():
                raise UnknownConversation(min(map(str, missing)))

    async def ensure(self, change: Change, conversations: Sequence[ConversationRecord]) -> None:
        """Find or create all these conversations."""
        wanted = [one for one in conversations if one.id not in self._ids]
        await self._find(change.connection, {one.id for one in wanted})
        for one in wanted:
            if one.id not in self._ids:
                self._ids[one.id] = await self._make(change.connection, one)
        await self._note_names(change.connection, [one for one in conversations if one.kind == "channel"])

    async def _note_names(self, connection: Connection, channels: Sequence[ConversationRecord]) -> None:
        """Note which channels have another name here. Two channels of the source may have the same name."""
        if not channels:
            return
        cursor = await connection.execute(queries.find_names, [[self._ids[one.id] for one in channels]])
        names: dict[int, str] = dict(await cursor.fetchall())
        for one in channels:
            there, here = one.name.casefold(), names.get(self._ids[one.id], one.name)
            if here.casefold() == there:
                self._same.add(there)
                self.renamed.pop(there, None)
            elif there not in self._same:
                self.renamed.setdefault(there, here)

    async def _find(self, connection: Connection, keys: set[Key]) -> None:
        if self._identity.origin is None:
            await self._find_channels(connection, keys)
            return
        named = {f"{self._identity.origin}:{key}": key for key in keys}
        rows = await (await connection.execute(queries.find_origins, [sorted(named)])).fetchall()
        self._ids |= {named[name]: id_ for name, id_ in rows}
        if self._identity.own:
            wanted = sorted(key for key in keys if isinstance(key, int) and key not in self._ids)
            rows = await (await connection.execute(queries.find_ids, [wanted])).fetchall()
            self._ids |= {id_: id_ for (id_,) in rows}

    async def _find_channels(self, connection: Connection, keys: set[Key]) -> None:
        """Compare the names of all channels, because PostgreSQL's rules of upper and lower case are others."""
        if keys:
            rows = await (await connection.execute(queries.list_channels)).fetchall()
            self._ids |= {key: id_ for name, id_ in rows if (key := look_key(name)) in keys}

    async def _make(self, connection: Connection, one: ConversationRecord) -> int:
        """Return the existing direct message, or create a conversation with the first free name."""
        fields = self._row(one)
        if one.kind == "direct":
            row = await (await connection.execute(queries.find_pair, [fields["pair"]])).fetchone()
            if row is not None:
                return int(row[0])
        if fields["id"] is not None:
            await connection.execute(queries.reserve_id, [fields["id"]])
        for name in self._names(one):
            for id_ in dict.fromkeys((fields["id"], None)):
                tried = fields | {"name": name, "id": id_} | name_keys(one.kind, name)
                row = await (await connection.execute(queries.insert_conversation, tried)).fetchone()
                if row is not None:
                    self.created.add(row[0])
                    return int(row[0])
        raise AssertionError("a name with a digest is taken")

    def _names(self, one: ConversationRecord) -> Iterable[str]:
        """Yield the conversation's name, then others for the case that it is taken."""
        yield one.name
        for number in range(2, MAX_NAMES):
            yield f"{one.name[: NAME_MOST - 4].rstrip()} {number}"
        yield f"{one.name[: NAME_MOST - 18].rstrip()} {digest(str(self._identity.origin), str(one.id))}"

    def _row(self, one: ConversationRecord) -> dict[str, object]:
        ids = [self._users[name] for name in one.people]
        return {
            "id": one.id if self._identity.exact and isinstance(one.id, int) else None,
            "kind": one.kind,
            "name": one.name,
            "topic": one.topic,
            "private": one.private or one.kind != "channel",
            "pair": pair_of(ids[0], ids[-1]) if one.kind == "direct" else None,
            "origin": None if self._identity.origin is None else f"{self._identity.origin}:{one.id}",
            "creator": self._users[one.created_by] if one.created_by else None,
            "created_at": one.created_at,
            "archived_at": one.archived_at,
            "slow": one.slow,
            "read_only": one.read_only,
        }
