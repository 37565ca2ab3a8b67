"""Previews of the pages that messages link to (LINK_PREVIEWS).

A reader of the log, one node at a time, finds the links of new and edited messages. It fetches the pages from public
addresses, and a confined process reads their heads (`preview_worker.py`). The previews become part of the message, and
an entry of the log brings them to its readers (deploy/decisions/0165-link-previews.md).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import structlog
from yarl import URL

from chat.files.images import FairQueue, run_worker
from chat.log.append import Change, Log
from chat.log.entry import Entry, Unplaced, decode_frame
from chat.log.redaction import PREVIEWS
from chat.log.subscriptions import ReaderKind, Receive
from chat.messages.edits import erase_previews
from chat.messages.history import Place, find_open_message, read_messages
from chat.messages.mention_parser import find_links
from chat.messages.preview_worker import PAGE_MOST
from chat.model.message import Message
from chat.shared.appearance import clean_line
from chat.shared.errors import Overloaded, RateLimited
from chat.shared.http_client import UNREACHABLE, fetch_page
from chat.shared.postgres import UNAVAILABLE, Pool
from chat.shared.rate_limits import Limit
from chat.shared.redis import reason_of
from chat.shared.settings import Settings
from chat.shared.sql import load
from chat.shared.tasks import Tasks

queries = load(__file__)
log = structlog.get_logger(__name__)
WORKER = Path(__file__).with_name("preview_worker.py")
TARGET = "previews"  # of the subscription
AGENT = "Tandem link previews"
KINDS = frozenset({"message", "edit", "finish"})  # entries by which a message may have new links
NEWS = timedelta(hours=1)  # older messages get no previews, as after the reader was off
AT_ONCE, WAITING_MOST = 4, 200  # pages that a node fetches at once, and that wait
KEPT_SECONDS, KEPT_MOST = 3_600.0, 2_000  # for which a node remembers a page, or that it has no preview
TEXTS_MOST = {"title": 200, "description": 400, "site": 80}  # characters
Preview = dict[str, object]  # url, and title, description, site as far as the page has them


class LinkPreviews:
    """The previews of a node. `kind`: the reader of the log; `fetched`, `failed`: pages with and without a preview."""

    def __init__(self, settings: Settings, journal: Log, pool: Pool, rate: Limit) -> None:
        self._journal, self._pool, self._rate = journal, pool, rate
        self._allowed, self._own = frozenset(settings.link_previews_allow), settings.public_url
        self._queue = FairQueue(AT_ONCE, WAITING_MOST)
        self._tasks = Tasks()
        self._known: OrderedDict[str, tuple[float, Preview | None]] = OrderedDict()
        self.fetched = self.failed = 0
        self.kind = ReaderKind(TARGET, self._open, (TARGET,), idle=5.0, tenure=float("inf"))

    @asynccontextmanager
    async def _open(self, _target: str) -> AsyncIterator[Receive]:
        try:
            yield self._receive
        finally:
            await self._tasks.stop()

    async def _receive(self, entries: Sequence[Entry], _epoch: str) -> None:
        """Start to fetch the links of these entries. What waits when this node ends is not fetched."""
        places = {
            (one.conversation_id or 0, one.subject or orjson.loads(decode_frame(one.frame)[2])["seq"])
            for one in entries
            if one.kind in KINDS and one.frame and (one.kind == "finish" or b"://" in one.frame)
        }
        if not places:
            return
        async with self._pool.connection() as connection:
            messages = await read_messages(connection, places)
        for message in messages.values():
            if links := self._wanted(message):
                self._tasks.start("preview links", self._preview(message, links))

    def _wanted(self, message: Message) -> list[str]:
        """Return the links to fetch, as far as the author's rate allows."""
        changed = message.edited_at or message.created_at
        if message.deleted or message.streaming or datetime.now(UTC) - changed > NEWS:
            return []
        known = {one["url"] for one in message.previews or ()}
        links = [link for link in find_links(message.body) if link not in known and not self._is_own(link)]
        try:
            if links:
                self._rate.acquire(message.author, len(links))
        except RateLimited:
            return []
        return links

    def _is_own(self, link: str) -> bool:
        return bool(self._own) and f"{link}/".startswith(f"{self._own}/")

    async def _preview(self, message: Message, links: Sequence[str]) -> None:
        """Fetch the links of a message, and add what they are about."""
        place = message.conversation, message.seq
        try:
            found = await asyncio.gather(*(self._find(message.author, link) for link in links))
            pages = {link: page for link, page in zip(links, found, strict=True) if page}
            if pages:
                await add_previews(self._journal, place, pages)
        except UNAVAILABLE as error:
            log.warning("database unavailable, previews not stored", error=reason_of(error))
        except Exception:  # one page must not end the node
            log.exception("previews failed", conversation=place[0], seq=place[1])

    async def _find(self, author: int, link: str) -> Preview | None:
        """Return the preview of a link, from memory if it was fetched within the hour; None if it has none."""
        try:
            async with self._queue.slot(author):
                until, preview = self._known.get(link, (0.0, None))
                if until < time.monotonic():
                    preview = await fetch_preview(link, self._allowed)
                    self._remember(link, preview)
                return preview
        except Overloaded:
            return None

    def _remember(self, link: str, preview: Preview | None) -> None:
        self._known[link] = time.monotonic() + KEPT_SECONDS, preview
        self._known.move_to_end(link)
        if len(self._known) > KEPT_MOST:
            self._known.popitem(last=False)
        self.fetched, self.failed = self.fetched + bool(preview), self.failed + (preview is None)


async def fetch_preview(link: str, allowed: frozenset[str]) -> Preview | None:
    """Fetch a page, and return its preview; None if there is none. `allowed`: addresses that need not be public."""
    try:
        charset, page = await fetch_page(link, PAGE_MOST, AGENT, allowed)
    except UNREACHABLE as error:
        log.info("page without a preview", host=host_of(link), reason=str(error) or type(error).__name__)
        return None
    output = await run_worker(WORKER, [charset[:40]], once(page))
    return shape_preview(link, orjson.loads(output)) if output else None


def host_of(link: str) -> str:
    """Return the host of a link; the rest of an address may be secret."""
    try:
        return URL(link).host or ""
    except ValueError:
        return ""


async def once(page: bytes) -> AsyncIterator[bytes]:
    """Yield the page."""
    yield page


def shape_preview(link: str, found: Mapping[str, object]) -> Preview | None:
    """Return the preview with its texts cleaned and cut; None if there is neither a title nor a description."""
    texts = {kind: cut(clean_line(str(found.get(kind, ""))), most) for kind, most in TEXTS_MOST.items()}
    if not (texts["title"] or texts["description"]):
        return None
    return {"url": link, **{kind: text for kind, text in texts.items() if text}}


def cut(line: str, most: int) -> str:
    """Return the line with at most `most` characters."""
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


async def add_previews(journal: Log, place: Place, pages: Mapping[str, Preview]) -> None:
    """Add previews of the links that a message has now, without the removed ones. A repetition changes nothing."""
    async with journal.change() as change:
        run = change.connection.execute
        if await (await run(queries.lock_conversation, [place[0]])).fetchone() is None:
            return
        message = (await read_messages(change.connection, [place])).get(place)
        if message is None or message.deleted or message.streaming:
            return
        removed = {row[0] for row in await (await run(queries.list_removed, [*place])).fetchall()}
        known = dict(pages) | {str(one["url"]): one for one in message.previews or ()}
        links = [link for link in find_links(message.body) if link in known and link not in removed]
        if shown := [known[link] for link in links]:
            await record_previews(change, message, shown)


async def remove_preview(journal: Log, actor_id: int, conversation_id: int, seq: int, url: str) -> None:
    """Remove a preview for good, as the author or as an owner or admin. Do nothing if the message does not have it.

    Raise `NotFound`, `NotMember`, `Archived` or `Forbidden`.
    """
    async with journal.change() as change:
        access, message = await find_open_message(change, conversation_id, actor_id, seq)
        if message.author != actor_id:
            access.require_manager()
        left = [one for one in message.previews or () if one["url"] != url]
        if len(left) == len(message.previews or ()):
            return
        await change.now()
        await change.connection.execute(queries.insert_removed, [conversation_id, seq, url])
        await erase_previews(change, conversation_id, seq)
        await record_previews(change, message, left)


async def record_previews(change: Change, message: Message, shown: Sequence[Mapping[str, object]]) -> None:
    """Store the previews of a message, and announce them. The entry has all of them, so the latest is enough."""
    if [*shown] == [*(message.previews or ())]:
        return
    conversation_id, seq = message.conversation, message.seq
    data = orjson.dumps({"conversation": conversation_id, "seq": seq, "previews": shown})
    entry = await change.record(Unplaced(PREVIEWS, conversation_id, subject=seq, data=data))
    stored = {"previews": orjson.dumps(shown).decode() if shown else None, "position": entry.position}
    place = {"conversation": conversation_id, "seq": seq}
    await change.connection.execute(queries.replace_previews, stored | place)
