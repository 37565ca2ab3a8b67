"""The bare handler: what aiohttp itself takes for a post that is read, and answered, and stored nowhere.

`python -m chat.tools.bench.bare_app PORT`, with the same loop and the same JSON library as a node.
"""

import sys
import time

import orjson
import uvloop
from aiohttp import web


async def take(request: web.Request) -> web.Response:
    """Answer with what was posted, as if it were a message."""
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
