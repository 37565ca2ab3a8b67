"""A node whose posts are stored nowhere: the same handler, identity, limits and validation, and then an answer at once.

Start it like a node: `python -m chat.tools.bench.storeless_app --node NAME --host=… --port=…`. The cost of storing a
post is what a node takes beyond this.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import uvloop
from aiohttp import web

from chat.app import make_app
from chat.messages.drafts import Post
from chat.messages.endpoints import POSTS
from chat.messages.posting import Posted, PostWriter
from chat.model.message import Message
from chat.server import BACKLOG, freeze_garbage, open_listeners
from chat.shared.settings import read_settings


class Nowhere(PostWriter):
    """Takes every post for stored."""

    def __init__(self) -> None:
        """Nothing is behind it."""

    def submit(self, post: Post) -> "asyncio.Future[Posted]":
        """Done already."""
        done: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
        draft, now = post.draft, datetime.now(UTC)
        message = Message(post.conversation_id, 1, post.author_id, draft.body, draft.client_id, now)
        done.set_result(Posted(message.encode(), fresh=True))
        return done


async def store_nowhere(app: web.Application) -> AsyncIterator[None]:
    """In the place of what commits."""
    app[POSTS] = Nowhere()
    yield


async def serve(node: str, host: str, port: int) -> None:
    """Until the process is ended."""
    app = make_app(read_settings(node=node))
    app.cleanup_ctx.append(store_nowhere)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for listener in open_listeners(host, port):
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
    freeze_garbage()
    await asyncio.Event().wait()


if __name__ == "__main__":
    said = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    uvloop.run(serve(said["--node"], said["--host"], int(said["--port"])))
