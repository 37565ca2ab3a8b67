"""The bare handler: the cost of aiohttp itself for a post that is read, answered and not stored.

`python -m chat.tools.bench.bare_app PORT` runs it with the same loop and the same JSON library as a node.
"""

import sys
import time

import orjson
import uvloop
from aiohttp import web


async def take(request: web.Request) -> web.Response:
    """Answer with the posted fields, as if they were a message."""
    draft = orjson.loads(await request.read())
    message = {"conversation": 1, "seq": 1, "author": 1} | draft | {"created_at": round(time.time() * 1000)}
    return web.Response(body=orjson.dumps({"message": message}), status=201, content_type="application/json")


def main() -> None:
    """Serve until told to stop."""
    uvloop.install()
    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
