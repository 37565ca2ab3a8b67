"""A node that stores no posts: the same handler, identity, limits and validation, then an answer at once.

Start it like a node: `python -m chat.tools.bench.storeless_app --node NAME --host=… --port=…`. The difference to a node
is the cost of storing a post.
"""

import asyncio
from argparse import ArgumentParser
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


class NoStorage(PostWriter):
    """Accepts every post without storing it."""

    def __init__(self) -> None:
        """Stand in for a batcher, without one."""

    def submit(self, post: Post) -> "asyncio.Future[Posted]":
        """Return at once."""
        done: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
        draft, now = post.draft, datetime.now(UTC)
        message = Message(post.conversation_id, 1, post.author_id, draft.body, draft.client_id, now)
        done.set_result(Posted(message.encode(), fresh=True))
        return done


async def skip_storing(app: web.Application) -> AsyncIterator[None]:
    """Do nothing, instead of a commit."""
    app[POSTS] = NoStorage()
    yield


async def serve(node: str, host: str, port: int) -> None:
    """Serve until the process is ended."""
    app = make_app(read_settings(node=node))
    app.cleanup_ctx.append(skip_storing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for listener in open_listeners(host, port):
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
    freeze_garbage()
    await asyncio.Event().wait()


if __name__ == "__main__":
    options = ArgumentParser()
    for name in ("--node", "--host", "--port"):
        options.add_argument(name, required=True)
    given = options.parse_args()
    uvloop.run(serve(given.node, given.host, int(given.port)))
