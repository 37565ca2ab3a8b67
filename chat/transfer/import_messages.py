"""Importing messages and what belongs to them: members, pins, followed threads, bans.

Messages keep their authors and times, and are numbered after the last message of their conversation. Each has a
position in the log, by which search finds it, but no entry: open streams do not carry old messages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from chat.conversations.memberships import change_role
from chat.conversations.views import introduce
from chat.files.models import File
from chat.files.uploads import attach_files
from chat.log.append import Change
from chat.log.entry import IMPORT, NOBODY, Unplaced
from chat.messages.mentions import EVERYBODY, array_text, insert_mentions
from chat.messages.reactions import SHOWN, set_pin
from chat.messages.threads import count_replies, follow_threads
from chat.model.conversation import Conversation, joined
from chat.model.message import Message as Shown
from chat.shared.sql import elements, load
from chat.transfer.import_conversations import ImportedConversations, ImportedUsers
from chat.transfer.records import BanRecord, FollowRecord, MemberRecord, MessageRecord, PinRecord, Ref
from chat.transfer.text import link, rename_channels, rename_mentions

queries = load(__file__)
MessageKey = tuple[int, int, str]  # conversation, author, client_id
Columns = list[list[object]]


@dataclass
class Rows:
    """Rows to insert, by table."""

    messages: list[tuple[object, ...]] = field(default_factory=list)
    reactions: list[tuple[object, ...]] = field(default_factory=list)
    edits: list[tuple[object, ...]] = field(default_factory=list)
    mentions: list[tuple[object, ...]] = field(default_factory=list)
    replies: list[tuple[object, ...]] = field(default_factory=list)
    attached: list[tuple[int, int, int]] = field(default_factory=list)
    shown_files: list[tuple[int, int, str]] = field(default_factory=list)
    last: dict[int, Shown] = field(default_factory=dict)


class MessageImporter:
    """Inserts messages. `exact`: the source says who follows which thread."""

    def __init__(self, users: ImportedUsers, conversations: ImportedConversations, exact: bool) -> None:
        self._users, self._conversations, self._exact = users, conversations, exact
        self.files: dict[MessageKey, list[File | None]] = {}  # stored ones of messages to be inserted
        self._newest: dict[int, datetime] = {}  # the last message's time, by conversation
        self.late = 0

    def key(self, conversation: int, ref: MessageRecord | Ref) -> MessageKey:
        """Return the key of a message."""
        return conversation, self._users[ref.author], ref.client_id

    async def find(self, change: Change, names: Sequence[MessageKey]) -> dict[MessageKey, int]:
        """Return the seqs of the messages that exist."""
        if not names:
            return {}
        unique = list(dict.fromkeys(names))
        rows = await change.connection.execute(queries.known_messages, texts_of(unique))
        return {unique[n - 1]: seq for n, _, seq in await rows.fetchall()}

    async def insert(self, change: Change, messages: Sequence[MessageRecord], ends: dict[int, int]) -> int:
        """Insert the messages that do not exist, and return their number.

        `ends`: the last seqs of the conversations, which are locked.
        """
        if not messages:
            return 0
        asked = [(self._conversations[one.conversation], one) for one in messages]
        names = [self.key(conversation, one) for conversation, one in asked]
        refs = [self.key(conversation, ref) for conversation, one in asked for ref in (one.reply_to, one.thread) if ref]
        known = await self.find(change, [*names, *refs])
        await self._find_newest(change, ends)
        now, rows = await change.now(), Rows()
        for name, (conversation, one) in zip(names, asked, strict=True):
            if name not in known:
                known[name] = ends[conversation] = ends[conversation] + 1
                self._add(change, rows, one, name, known, now)
        if rows.messages:
            await self._write(change, rows)
            await refresh(change, rows.last)
        return len(rows.messages)

    async def _find_newest(self, change: Change, ends: Iterable[int]) -> None:
        """Find the times of the last messages that are here."""
        if unknown := [conversation for conversation in ends if conversation not in self._newest]:
            rows = await (await change.connection.execute(queries.find_newest, [unknown])).fetchall()
            self._newest |= dict(rows)

    def _count_late(self, conversation: int, said_at: datetime) -> None:
        """Count a message that is older than the one before it: the numbers of messages here are final."""
        newest = self._newest.setdefault(conversation, said_at)
        self.late += said_at < newest and not self._exact
        self._newest[conversation] = max(newest, said_at)

    def _add(
        self,
        change: Change,
        rows: Rows,
        one: MessageRecord,
        name: MessageKey,
        known: dict[MessageKey, int],
        now: datetime,
    ) -> None:
        (conversation, author, _), seq = name, known[name]
        entry = change.place(Unplaced(IMPORT, conversation, NOBODY, subject=seq))
        mentions = list(dict.fromkeys(self._users[other] for other in one.mentions))
        reply_to, thread = (
            known.get(self.key(conversation, ref), 0) if ref else 0 for ref in (one.reply_to, one.thread)
        )
        said_at = min(one.created_at, now)
        self._count_late(conversation, said_at)
        stored = self.files.pop(name, [])
        body = self._rename(name_files(one, stored))
        files = self._attach(rows, conversation, seq, [file for file in stored if file])
        shown = Shown(
            conversation, seq, author, body, one.client_id, said_at, one.edited_at, bool(one.deleted_at),
            reply_to, thread, reactions=self._show(one), mentions=mentions, mentions_all=one.mentions_all,
            files=files, type=None if one.deleted_at else one.message_type, data=None if one.deleted_at else one.data,
            state=one.state,
            previews=[page.model_dump(exclude_defaults=True) for page in one.previews if not one.deleted_at],
        )  # fmt: skip
        reactions = orjson.dumps(shown.reactions).decode() if shown.reactions else ""
        rest = one.edited_at, one.deleted_at, reply_to, thread, reactions, array_text(mentions) or ""
        said, more = (author, one.client_id, body, said_at), (one.mentions_all or "", shown.type, shown.data, one.state)
        previews = orjson.dumps(shown.previews).decode() if shown.previews else None
        rows.messages.append((conversation, seq, entry.position, *said, *rest, *more, previews))
        rows.reactions += self._reactions(conversation, seq, one)
        for number, edit in enumerate(one.edits, 1):
            text = self._rename(edit.body)
            rows.edits.append((conversation, seq, number, text, self._users[edit.user], edit.at))
        rows.mentions += [(conversation, seq, author, user) for user in ([EVERYBODY] if one.mentions_all else mentions)]
        rows.replies += [(conversation, thread, author, seq, said_at)] if thread else []
        rows.last[conversation] = shown

    def _rename(self, text: str) -> str:
        """Return the text with the names here of the users and channels that it names."""
        return rename_channels(rename_mentions(text, self._users.renamed), self._conversations.renamed)

    def _attach(self, rows: Rows, conversation: int, seq: int, files: Sequence[File]) -> list[dict[str, object]] | None:
        """Note the files of a message, and return them as the message shows them."""
        if not files:
            return None
        shown = [file.to_json() for file in files]
        rows.attached += [(file.id, conversation, seq) for file in files]
        rows.shown_files.append((conversation, seq, orjson.dumps(shown).decode()))
        return shown

    def _reactions(self, conversation: int, seq: int, one: MessageRecord) -> Iterator[tuple[object, ...]]:
        """Yield reactions in their order, before all later ones: those are ordered by their positions in the log."""
        for number, reaction in enumerate(one.reactions):
            users = self._unique(reaction.users)
            yield conversation, seq, reaction.emoji, number - len(one.reactions), array_text(users)

    def _unique(self, names: Iterable[str]) -> list[int]:
        """Return the users' ids. Two users of the source may be the same account here."""
        return list(dict.fromkeys(self._users[name] for name in names))

    def _show(self, one: MessageRecord) -> list[dict[str, object]]:
        """Return the reactions as the message shows them."""
        shown: list[dict[str, object]] = []
        for reaction in one.reactions:
            users = self._unique(reaction.users)
            count = {"count": len(users)} if len(users) > SHOWN else {}
            shown.append({"emoji": reaction.emoji, "users": users[:SHOWN], **count})
        return shown

    async def _write(self, change: Change, rows: Rows) -> None:
        run = change.connection.execute
        await run(queries.insert_messages, texts_of(rows.messages))
        ends = {conversation: shown.seq for conversation, shown in rows.last.items()}
        await run(queries.move_last_seq, [list(ends), list(ends.values())])
        for query, written in ((queries.insert_reactions, rows.reactions), (queries.insert_edits, rows.edits)):
            if written:
                await run(query, columns(written))
        if rows.attached:
            await attach_files(change, rows.attached, rows.shown_files)
        if rows.mentions:
            await insert_mentions(change, rows.mentions)
        if rows.replies:
            await count_replies(change, rows.replies)
        if rows.replies and not self._exact:
            follows = {(conversation, thread, author): seq for conversation, thread, author, seq, _ in rows.replies}
            await follow_threads(change, [(*follower, seq) for follower, seq in follows.items()])


def name_files(one: MessageRecord, stored: Sequence[File | None]) -> str:
    """Return the body. Files that are not stored are linked in it, or named."""
    left = [file for n, file in enumerate(one.files) if n >= len(stored) or stored[n] is None]
    return "\n".join([*([one.body] if one.body else []), *(link(file.name, file.url) for file in left)])


async def refresh(change: Change, last: dict[int, Shown]) -> None:
    """Mark all as read where a conversation has members, and announce the new last message in one entry."""
    run = change.connection.execute
    rows = await (await run(queries.find_with_members, [list(last)])).fetchall()
    with_members = {row[0]: last[row[0]].seq for row in rows}
    if not with_members:
        return
    await run(queries.mark_as_read, [list(with_members), list(with_members.values())])
    for row in await (await run(queries.describe_conversations, [list(with_members)])).fetchall():
        conversation = Conversation(*row)
        seq, message = with_members[conversation.id], orjson.Fragment(last[conversation.id].encode())
        read = {"last_seq": seq, "read_seq": seq, "unread": 0, "mentions": 0, "last_message": message}
        change.place(Unplaced("conversation", conversation.id, data=orjson.dumps(conversation.describe() | read)))


def texts_of(rows: Sequence[tuple[object, ...]]) -> list[str]:
    """Return the columns for `unnest` as array literals, which are fast for many rows."""
    return [elements(column) for column in zip(*rows, strict=True)]


def columns(rows: Sequence[tuple[object, ...]]) -> Columns:
    """Return the columns for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]


async def lock_conversations(change: Change, ids: Sequence[int]) -> dict[int, int]:
    """Lock conversations in the order of their ids, as every append does. Return their last seqs."""
    rows = await (await change.connection.execute(queries.lock_conversations, [sorted(ids)])).fetchall()
    return dict(rows)


async def lock_users(change: Change, ids: Sequence[int]) -> None:
    """Lock users, before the log's head is locked: inserting their memberships would lock them after it."""
    await change.connection.execute(queries.lock_users, [ids])


# Members, and other records of a conversation.

ALL = -1  # read up to the last message


class MemberImporter:
    """Inserts members and what else belongs to a conversation.

    `exact`: a member without a read mark has read nothing. Otherwise they have read everything.
    """

    def __init__(
        self, users: ImportedUsers, conversations: ImportedConversations, messages: MessageImporter, exact: bool
    ) -> None:
        self._users, self._conversations = users, conversations
        self._messages, self._exact = messages, exact
        self.created: set[tuple[int, int]] = set()  # conversations and users

    async def add_pins(self, change: Change, pins: Sequence[PinRecord]) -> None:
        """Pin messages in order. Skip those that do not exist, or are pinned."""
        names = [self._messages.key(self._conversations[pin.conversation], pin.message) for pin in pins]
        seqs = await self._messages.find(change, names)
        found = [(name[0], seqs[name], pin) for name, pin in zip(names, pins, strict=True) if name in seqs]
        if not found:
            return
        done = await change.connection.execute(queries.find_pinned, columns([one[:2] for one in found]))
        pinned = {row[0] - 1 for row in await done.fetchall()}
        for n, (conversation, seq, pin) in enumerate(found):
            if n not in pinned:
                await set_pin(change, conversation, seq, self._users[pin.user], True)

    async def add_members(self, change: Change, members: Sequence[MemberRecord]) -> None:
        """Add members. Existing ones stay as they are, except that their read marks may move forward."""
        if not members:
            return
        members = list({self._member_key(one): one for one in reversed(members)}.values())[::-1]
        pairs = [self._member_key(one) for one in members]
        done = await change.connection.execute(queries.find_members, columns(pairs))
        existing = {row[0] - 1 for row in await done.fetchall()}
        reads = await self._read_marks(change, members)
        again = [(*pairs[n], reads[n]) for n in sorted(existing)]
        if again:
            await change.connection.execute(queries.move_marks, columns(again))
        fresh = [n for n in range(len(members)) if n not in existing]
        if fresh:
            await self._insert(
                change, [members[n] for n in fresh], [pairs[n] for n in fresh], [reads[n] for n in fresh]
            )

    def _member_key(self, one: MemberRecord) -> tuple[int, int]:
        """Return the ids of the conversation and the user. Two users of the source may be the same account here."""
        return self._conversations[one.conversation], self._users[one.user]

    async def _read_marks(self, change: Change, members: Sequence[MemberRecord]) -> list[int]:
        names: list[MessageKey | None] = [
            self._messages.key(self._conversations[one.conversation], one.read) if one.read else None for one in members
        ]
        seqs = await self._messages.find(change, [name for name in names if name])
        return [seqs.get(name, 0) if name else 0 if self._exact else ALL for name in names]

    async def _insert(
        self, change: Change, members: Sequence[MemberRecord], pairs: Sequence[tuple[int, int]], reads: Sequence[int]
    ) -> None:
        """Insert members. Only users who may be connected, and members who may see them, are notified."""
        run, rows = change.connection.execute, []
        asked = await run(queries.find_with_sessions, [[user for _, user in pairs]])
        connected = {row[0] for row in await asked.fetchall()}
        asked = await run(queries.find_with_members, [[conversation for conversation, _ in pairs]])
        with_members = {row[0] for row in await asked.fetchall()}
        await change.now()
        quiet = change.place(Unplaced(IMPORT, None, NOBODY)).position
        loud = []
        for one, (conversation, user), read in zip(members, pairs, reads, strict=True):
            since = quiet
            if user in connected or conversation in with_members:
                since = change.place(joined(conversation, user, one.role)).position
                loud += [(user, conversation)] if user in connected else []
            level = one.level or "all", one.level is not None
            rows.append((conversation, user, one.role, since, one.joined_at, read, *level, one.muted_until))
        await run(queries.insert_members, columns(rows))
        self.created |= set(pairs)
        for user, conversation in loud:
            await introduce(change, conversation, user)

    async def add_follows(self, change: Change, follows: Sequence[FollowRecord]) -> None:
        """Follow the threads that exist."""
        names = [
            [self._messages.key(self._conversations[one.conversation], ref) for ref in (one.thread, one.read)]
            for one in follows
        ]
        seqs = await self._messages.find(change, [name for pair in names for name in pair])
        rows = [
            (root[0], self._users[one.user], seqs[root], seqs.get(read, seqs[root]))
            for one, (root, read) in zip(follows, names, strict=True)
            if root in seqs
        ]
        if rows:
            await change.connection.execute(queries.insert_follows, columns(rows))

    async def add_bans(self, change: Change, bans: Sequence[BanRecord]) -> None:
        """Insert bans."""
        rows = [
            (self._conversations[one.conversation], self._users[one.user], self._users[one.by], one.reason, one.at)
            for one in bans
        ]
        if rows:
            await change.connection.execute(queries.insert_bans, columns(rows))

    async def make_owner(self, change: Change, conversation: int, user: int) -> None:
        """Make a user an owner of a conversation, and a member if they are not."""
        asked = [[conversation], [user]]
        await change.connection.execute(queries.lock_conversations, [[conversation]])
        await lock_users(change, [user])
        if await (await change.connection.execute(queries.find_members, asked)).fetchone():
            await change_role(change, conversation, user, "owner")
            return
        since = (await change.record(joined(conversation, user, "owner"))).position
        await change.connection.execute(
            queries.insert_members, [*asked, ["owner"], [since], [None], [ALL], ["all"], [False], [None]]
        )
        await introduce(change, conversation, user)
