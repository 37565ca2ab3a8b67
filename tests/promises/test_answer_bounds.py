"""Answer sizes: every route that reads has a limit in bytes, and a new route must get one.

The limits follow from page sizes and settings, all at their defaults, never from the amount of data.
"""

import uuid

import psycopg
import pytest

from chat.accounts.admin import ACCOUNTS_PAGE
from chat.accounts.api_keys import LIMITED_TO
from chat.accounts.api_keys import PAGE as KEYS
from chat.accounts.endpoints import IDS_MOST
from chat.accounts.joining import INVITES_PAGE
from chat.accounts.models import FOUND_MOST
from chat.accounts.passkeys import MOST as PASSKEYS
from chat.accounts.user_groups import GROUPS_MOST
from chat.accounts.user_groups import MEMBERS_MOST as GROUP_MEMBERS_MOST
from chat.app import ROUTES
from chat.conversations.members import PAGE as MEMBERS
from chat.conversations.views import PAGE as CHANNELS
from chat.conversations.views import PLACED_MOST, SECTIONS_MOST
from chat.integrations.deliveries import PROBLEM_MOST, SHOWN_MOST
from chat.integrations.incoming import HOOKS_MOST
from chat.integrations.outgoing import DELIVERIES_KEPT, URL_MOST
from chat.integrations.outgoing import HOOKS_MOST as OUTGOING_MOST
from chat.integrations.outgoing import PAGE as HOOKS
from chat.log.subscriptions import PAGE_MOST as SUBSCRIPTIONS
from chat.messages.edits import EDITS_PAGE as EDITS
from chat.messages.history import CARD_TEXT, CARDS_MOST
from chat.messages.mention_parser import LINK_MOST, LINKS_MOST
from chat.messages.previews import TEXTS_MOST
from chat.messages.reminders import REMINDERS_MOST, TEXT_MOST
from chat.messages.scheduled import SCHEDULED_MOST
from chat.messages.threads import THREADS_MOST as THREADS
from chat.messages.triage import ACTIVITY_PAGE, SAVED_MOST, SAVED_PAGE
from chat.model.message import BYTES_MOST, EXCERPT
from chat.model.types import BODY_MOST, DATA_MOST, FILES_MOST, NAME_MOST, TOPIC_MOST
from chat.moderation.moderation import ACTIVITY_PAGE as NOTES
from chat.moderation.moderation import BANS_PAGE, REPORTS_PAGE
from chat.search.search import PAGE_MOST as FOUND
from chat.shared.settings import Settings
from chat.stream import endpoints as stream
from chat.team import NAMED
from chat.transfer.jobs import CHOSEN_MOST as CHOSEN
from chat.transfer.jobs import PAGE as JOBS
from chat.transfer.records import MAX_REASONS as REASONS
from chat.transfer.undo import KEPT_SHOWN as KEPT
from chat.transfer.worker import CONVERSATIONS_MOST as CONVERSATIONS
from chat.transfer.worker import USERS_MOST as USERS
from presence.dashboard import POINTS_MOST
from presence.endpoints import PAGE_MOST as PEOPLE
from presence.protocol import WATCH_MOST
from presence.visibility import LISTED_MOST as PRESENT
from tests.cast import Cast, Person
from tests.files.sending import posts, sends
from tests.verbs import answers, pages, sees, threads_of

MOST = 16 * 1024 * 1024
DEFAULT = {name: field.default for name, field in Settings.model_fields.items()}
LETTER = 6  # bytes of one character in JSON at most: \u0001
ONE = 16 * 1024  # an object of a fixed number of short fields
LINE = 1024  # a row of them
FILES = FILES_MOST * 2 * LINE
BODY = BODY_MOST * LETTER
STREAMED = DEFAULT["max_streamed_chars"] * LETTER
PREVIEWS = LINKS_MOST * (LINK_MOST + sum(TEXTS_MOST.values())) * LETTER
MESSAGE = STREAMED + FILES + DATA_MOST + PREVIEWS + ONE
SHORT = EXCERPT * LETTER + FILES + ONE
VIEW = (NAME_MOST + TOPIC_MOST + EXCERPT) * LETTER + DEFAULT["max_group_members"] * 10 + LINE
SIDEBAR = PLACED_MOST * 18 + (SECTIONS_MOST + 3) * (NAME_MOST * LETTER + LINE)
IN_PIECES = 128 * 1024  # answers that are produced in pieces, each when the one before was read
BOUNDS = {
    "/health/live": ONE,
    "/health/ready": ONE,
    "/metrics": MOST,  # one line for each figure of this node
    "/api/operations/echo": ONE,
    "/api/audit": 500 * 4 * LINE,
    "/api/audit/export": IN_PIECES,
    "/api/openapi.json": MOST,  # the same for all users
    "/api/asyncapi.json": MOST,
    "/api/announcement": ONE,
    "/api/emoji": 2_000 * LINE,  # the highest value of CUSTOM_EMOJI_MOST
    "/api/emoji/{custom_emoji}": 128 * 1024,
    "/api/groups": GROUPS_MOST * LINE,
    "/api/groups/{group}": GROUP_MEMBERS_MOST * 18 + LINE,
    "/api/accounts": ACCOUNTS_PAGE * LINE,
    "/api/invites": INVITES_PAGE * 4 * LINE,
    "/api/team": ONE,
    "/api/team/figures": 30 * LINE + NAMED * NAME_MOST * LETTER,
    "/api/sessions": 500 * LINE,
    "/api/sign-on": ONE,
    "/api/sign-on/state": ONE,  # settings of the operator
    "/api/oidc/login": ONE,
    "/api/oidc/callback": ONE,
    "/api/oidc/logout": ONE,
    "/api/sessions/current/proof": ONE,
    "/api/users": max(IDS_MOST, FOUND_MOST) * 2 * LINE,
    "/api/users/me": ONE,
    "/api/users/me/factors": ONE + PASSKEYS * LINE,
    "/api/users/me/blocks": DEFAULT["blocks_per_person"] * 20,
    "/api/users/me/export": IN_PIECES,
    "/api/users/me/activity": 200 * 4 * LINE,
    "/api/users/{user}": ONE,
    "/api/users/ext/{external_id:[^/]+}": ONE,
    "/api/users/{user}/sessions": 500 * LINE,
    "/api/avatars/{avatar}": 1024 * 1024,
    "/api/push/key": ONE,
    "/api/users/me/email": ONE,
    "/unsubscribe/{secret}": ONE,
    "/api/keys": KEYS * (LIMITED_TO * 18 + 2 * LINE),
    "/api/imports": JOBS * 4 * LINE,
    "/api/imports/{import}": (CONVERSATIONS + USERS + 2 * REASONS + CHOSEN) * LINE + ONE,
    "/api/imports/{import}/undo": KEPT * LINE,
    "/api/files/{file}": ONE,
    "/api/files/{file}/{name}": IN_PIECES,
    "/api/chat/stream": stream.BYTES_MOST + MESSAGE,
    "/mcp": DEFAULT["stream_buffer"],
    "/api/chat/socket": DEFAULT["stream_buffer"],
    "/api/chat/conversations": BYTES_MOST + DEFAULT["conversations_per_person"] * VIEW + SIDEBAR + SAVED_MOST * LINE,
    "/api/chat/sidebar": SIDEBAR,
    "/api/chat/conversations/{conversation}": VIEW + MESSAGE,
    "/api/chat/conversations/ext/{external_id:[^/]+}": VIEW + MESSAGE,
    "/api/chat/conversations/{conversation}/messages": BYTES_MOST + MESSAGE,
    "/api/chat/conversations/{conversation}/messages/{seq}": MESSAGE,
    "/api/chat/conversations/{conversation}/messages/{seq}/edits": EDITS * (BODY + LINE) + STREAMED,
    "/api/chat/conversations/{conversation}/messages/{seq}/replies": BYTES_MOST + MESSAGE,
    "/api/chat/conversations/{conversation}/messages/{seq}/delivery/{user}": 50 * LINE + ONE,
    "/api/chat/conversations/{conversation}/pins": BYTES_MOST + DEFAULT["pins_per_conversation"] * SHORT,
    "/api/chat/conversations/{conversation}/receipts": DEFAULT["receipts_most"] * LINE,
    "/api/chat/conversations/{conversation}/members": MEMBERS * LINE,
    "/api/chat/conversations/{conversation}/bans": BANS_PAGE * 4 * LINE,
    "/api/chat/conversations/{conversation}/links": DEFAULT["links_per_conversation"] * LINE,
    "/api/chat/conversations/{conversation}/incoming-hooks": HOOKS_MOST * 4 * LINE,
    "/api/chat/conversations/{conversation}/hooks": OUTGOING_MOST * (4 * LINE + 12 * URL_MOST),
    "/api/chat/conversations/{conversation}/hooks/{hook}/deliveries": DELIVERIES_KEPT
    * 12
    * (PROBLEM_MOST + SHOWN_MOST),
    "/api/hooks": HOOKS * (8 * LINE + 12 * URL_MOST),
    "/api/subscriptions": SUBSCRIPTIONS * 8 * LINE,
    "/api/chat/conversations/{conversation}/audit": NOTES * 4 * LINE,
    "/api/chat/invitations": DEFAULT["invitations_received"] * VIEW,
    "/api/chat/channels": CHANNELS * VIEW,
    "/api/chat/archived": CHANNELS * VIEW,
    "/api/chat/saved": BYTES_MOST + SAVED_PAGE * SHORT,
    "/api/chat/scheduled": BYTES_MOST * LETTER + BODY + SCHEDULED_MOST * (FILES + LINE),
    "/api/chat/cards": 2 * CARDS_MOST * (CARD_TEXT * LETTER + NAME_MOST * LETTER + LINE),
    "/api/chat/activity": BYTES_MOST + ACTIVITY_PAGE * SHORT,
    "/api/chat/threads": BYTES_MOST + THREADS * SHORT,
    "/api/chat/search": BYTES_MOST + FOUND * SHORT,
    "/api/chat/conversations/{conversation}/commands": 100 * LINE,
    "/api/reminders": REMINDERS_MOST * (TEXT_MOST * LETTER + LINE),
    "/api/chat/reports": REPORTS_PAGE * (BODY + 8 * LINE),
    "/api/presence": WATCH_MOST * 2 * LINE,
    "/api/presence/conversations/{conversation}": PRESENT * 2 * LINE,
    "/api/presence/socket": DEFAULT["stream_buffer"],
    "/api/presence/nodes": 100 * ONE,  # a fleet of a hundred nodes
    "/api/presence/stats": POINTS_MOST * LINE + 100 * ONE,
    "/api/presence/people": PEOPLE * 2 * LINE,
    "/api/presence/rooms": PEOPLE * 2 * LINE,
    "/api/presence/evidence/{user}": 100 * ONE,
    "/assets/{name}": IN_PIECES,
    "/": IN_PIECES,
    "/embed/{address:(?!(?:.*/)?api/).+}": IN_PIECES,
    "/manifest.webmanifest": IN_PIECES,
    r"/{name:[^/]+\.[a-z0-9]+}": IN_PIECES,
    r"/{address:(?!(?:.*/)?api/|health/|assets/|metrics|\.well-known/).*}": IN_PIECES,
}


def test_every_route_names_its_bound() -> None:
    """The table has exactly the routes that exist, and no limit exceeds 16 MiB."""
    assert {route.path for route in ROUTES["all"] if route.method in ("GET", "*")} == set(BOUNDS)
    assert {path: bound for path, bound in BOUNDS.items() if bound > MOST} == {}


@pytest.fixture
async def ana(cast: Cast) -> Person:
    """Ana, who has posted two megabytes to a channel in numbered messages."""
    (ana,) = await cast.enters("ana")
    assert await cast.share(ana) == 1
    await says_much(ana, [1] * 140)
    return ana


async def says_much(ana: Person, rooms: list[int], **more: object) -> None:
    """Post a message of 15 KB for each of these numbers, ten at a time."""
    for first in range(0, len(rooms), 10):
        batch = [
            {"conversation": room, "body": f"{first + n} {'é' * 7_500}", "client_id": uuid.uuid4().hex, **more}
            for n, room in enumerate(rooms[first : first + 10])
        ]
        _, said = await ana.call("POST", "/api/chat/messages", {"messages": batch})
        assert {one["status"] for one in said["results"]} == {201}


def numbers(page: list[dict]) -> list[int]:  # type: ignore[type-arg]
    """Return the numbers in these messages."""
    return [message["seq"] for message in page]


async def test_history_has_pages_of_a_megabyte(ana: Person) -> None:
    """Each page has the messages next to its start, without a hole, and says whether there are more."""
    first = await pages(ana, 1, "after=0&limit=200")
    last = await pages(ana, 1, "limit=200")
    middle = await pages(ana, 1, "around=70&limit=200")
    few = len(first["messages"])
    assert 60 <= few <= 70
    assert numbers(first["messages"]) == list(range(1, few + 1))
    assert numbers(last["messages"]) == list(range(140 - len(last["messages"]) + 1, 141))
    shown = numbers(middle["messages"])
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert abs((70 - shown[0]) - (shown[-1] - 70)) <= 1
    assert (first["has_before"], first["has_after"]) == (False, True)
    assert (last["has_before"], last["has_after"]) == (True, False)
    assert (middle["has_before"], middle["has_after"]) == (True, True)


async def test_history_is_read_whole_page_by_page(ana: Person) -> None:
    """Paging backwards and forwards returns each message once."""
    forwards: list[int] = []
    while (page := await pages(ana, 1, f"after={forwards[-1] if forwards else 0}&limit=200"))["messages"]:
        forwards += numbers(page["messages"])
    backwards: list[int] = []
    while (page := await pages(ana, 1, f"before={backwards[0] if backwards else 141}&limit=200"))["messages"]:
        backwards = numbers(page["messages"]) + backwards
    assert forwards == backwards == list(range(1, 141))


async def test_replies_have_pages_of_a_megabyte(ana: Person) -> None:
    """Replies are paged like history."""
    await says_much(ana, [1] * 80, thread=1)
    _, page = await ana.call("GET", "/api/chat/conversations/1/messages/1/replies?limit=200")
    assert 60 <= len(page["messages"]) <= 70
    assert (page["has_before"], page["has_after"]) == (True, False)


async def test_the_list_of_conversations_has_a_megabyte_of_last_messages(cast: Cast, ana: Person) -> None:
    """The latest messages are complete, the others are cut to their beginnings, and nothing else changes."""
    rooms = [await cast.share(ana) for _ in range(100)]
    await posts(ana, rooms[0], await sends(ana, b"a file"), body="x" * 300)
    await says_much(ana, rooms[1:])
    seen = (await sees(ana))["conversations"]
    lengths = [len(one["last_message"]["body"]) for one in seen]
    whole = [length for length in lengths if length > 7_500]
    assert 60 <= len(whole) <= 70
    assert lengths == whole + [EXCERPT] * (101 - len(whole))
    oldest = next(one for one in seen if one["id"] == rooms[0])
    assert (oldest["last_message"]["seq"], "files" in oldest["last_message"]) == (1, False)


async def test_data_counts_like_text(cast: Cast, ana: Person) -> None:
    """Pages and the list of conversations are as short as with longer texts; messages that are cut have no data."""
    data = {"x": "é" * 4_000}
    rooms = [await cast.share(ana) for _ in range(60)]
    await says_much(ana, [*rooms, *[rooms[0]] * 60], data=data)
    page = await pages(ana, rooms[0], "limit=200")
    assert 40 <= len(page["messages"]) <= 46
    last = [one["last_message"] for one in (await sees(ana))["conversations"]]
    whole = [one for one in last if "data" in one]
    assert 40 <= len(whole) <= 46
    assert all(one["data"] == data for one in whole)
    assert {len(one["body"]) for one in last if "data" not in one} == {EXCERPT}


async def test_the_list_of_threads_has_a_megabyte_of_texts(ana: Person) -> None:
    """The latest texts are complete, the others are cut to their beginnings."""
    for root in range(1, 101):
        await answers(ana, 1, root, "yes")
    lengths = [len(one["message"]["body"]) for one in await threads_of(ana)]
    whole = [length for length in lengths if length > 7_500]
    assert 60 <= len(whole) <= 70
    assert lengths == whole + [EXCERPT] * (100 - len(whole))


async def test_lists_have_pages(cast: Cast, ana: Person) -> None:
    """With three hundred users, channels and sessions, each list returns a page."""
    with psycopg.connect(cast.database_url, autocommit=True) as database:
        database.execute(
            "with people as (insert into users (name, display_name, password_hash)"
            " select 'person' || n, 'Person', '' from generate_series(1, 600) n returning id)"
            " insert into memberships (conversation_id, user_id, since) select 1, id, 0 from people"
        )
        database.execute(
            "insert into conversations (kind, name) select 'channel', 'c' || n from generate_series(1, 300) n"
        )
        database.execute(
            "insert into sessions (user_id, token_hash, device, expires_at) select %s, sha256(n::text::bytea), 'x',"
            " now() + interval '1 day' from generate_series(1, 600) n",
            [ana.id],
        )
    lists = {
        "/api/chat/conversations/1/members": ("members", MEMBERS),
        "/api/chat/channels": ("channels", CHANNELS),
        "/api/sessions": ("sessions", 500),
        "/api/users?q=person": ("users", FOUND_MOST),
    }
    for path, (name, most) in lists.items():
        status, page = await ana.call("GET", path)
        assert (path, status, len(page[name])) == (path, 200, most)
