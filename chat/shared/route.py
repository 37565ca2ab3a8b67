"""Operation: a line of the URL table, with what OpenAPI publishes about it."""

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from chat.shared.bodies import check_expectation


@dataclass(frozen=True, slots=True)
class Operation(web.AbstractRouteDef):
    """A method and path, the handler that answers, and the operation's `id` and `tag` in OpenAPI.

    `tag`: without one, the part of the id before the dot.
    `answer`: the name of the model in `chat/api_schema`, a media type such as `text/plain`, or
    `websocket`. Without one the answer is an object of the handler's own, or empty.
    `head`: HEAD is answered like GET, without the body.
    """

    method: str
    path: str
    handler: Handler
    id: str = ""
    tag: str = ""
    answer: str = ""
    head: bool = True

    def group(self) -> str:
        """Return the operation's tag."""
        return self.tag or self.id.partition(".")[0]

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the route to a router, with a check of the Expect header that asks for no body."""
        if self.method == "GET":
            route = router.add_get(self.path, self.handler, allow_head=self.head, expect_handler=check_expectation)
        else:
            route = router.add_route(self.method, self.path, self.handler, expect_handler=check_expectation)
        return [route]
