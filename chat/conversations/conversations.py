"""Beginning a conversation: one transaction, in which everybody joins and is told what it is."""

from collections.abc import Iterable
from typing import NamedTuple

from chat.accounts.blocks import lock_pair, require_unblocked
from chat.attention.notice import Notice
from chat.conversations.conversation import Conversation, View
from chat.conversations.draft import ConversationDraft
from chat.conversations.entries import introduced
from chat.conversations.invitations import find_invited, invite
from chat.conversations.refusals import NameTaken, TooManyMembers
from chat.conversations.seating import check_people, require_own_look, seat
from chat.log.append import Change, Log
from chat.shared.problems import Invalid
from chat.shared.queries import load
from chat.shared.settings import Settings

queries = load(__file__)


class Created(NamedTuple):
    """`fresh`: it did not exist before; a pair has one direct conversation. `invited`: who was not added but asked."""

    id: int
    fresh: bool
    invited: list[int]


async def create_conversation(log: Log, settings: Settings, creator_id: int, draft: ConversationDraft) -> Created:
    """Create a conversation, or find the direct one that the pair has.

    Raise `Invalid`, `NameTaken`, `TooManyMembers`, `TooManyConversations`, `TooManyInvitations`, `Blocked`.
    """
    people = draft.people(creator_id)
    check_size(settings, draft, len(people))
    async with log.change() as change:
        await lock_pair(change, draft.pair(creator_id))
        conversation = await insert_conversation(change, creator_id, draft)
        if conversation is None:
            return Created(await find_pair(change, draft.pair(creator_id)), False, [])
        await require_own_look(change, conversation)
        await check_people(change, list(people), settings.conversations_per_person, chosen=[creator_id])
        await require_unblocked(change, creator_id, people)
        invited = [] if draft.kind == "direct" else await find_invited(change, settings, creator_id, list(people))
        seated = {user_id: role for user_id, role in people.items() if user_id not in invited}
        entries = await invite(change, settings, conversation, creator_id, invited, len(seated))
        await seat(change, conversation, seated, chosen=[creator_id])
        await change.record(introduced(first_view(conversation, seated)))
        for entry in entries:
            await change.record(entry)
    return Created(conversation.id, True, invited)


def first_view(conversation: Conversation, people: Iterable[int]) -> View:
    """What it is to everybody when it begins; nobody's role stands in it."""
    members = None if conversation.kind == "channel" else sorted(people)
    return View(conversation, None, 0, 0, 0, Notice(), members, None)


def check_size(settings: Settings, draft: ConversationDraft, size: int) -> None:
    """How many may be brought along."""
    if size > settings.max_members_added:
        detail = f"at most {settings.max_members_added} people at once"
        raise Invalid(errors=[{"field": "members", "detail": detail}])
    if draft.kind == "group" and size > settings.max_group_members:
        raise TooManyMembers


async def insert_conversation(change: Change, creator_id: int, draft: ConversationDraft) -> Conversation | None:
    """The new row, locked by being new; None when this pair has one. Whoever comes second waits for the first."""
    fields = {
        "kind": draft.kind,
        "name": draft.name or "",
        "topic": draft.topic,
        "private": draft.is_private(),
        "pair": draft.pair(creator_id),
        "creator": creator_id,
    }
    row = await (await change.connection.execute(queries.insert_conversation, fields)).fetchone()
    if row is None and draft.kind == "channel":
        raise NameTaken
    return Conversation(*row) if row else None


async def find_pair(change: Change, pair: str | None) -> int:
    """The direct conversation that this pair has."""
    row = await (await change.connection.execute(queries.find_pair, [pair])).fetchone()
    assert row is not None
    return int(row[0])
