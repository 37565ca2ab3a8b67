"""Operation: a line of the URL table, with what OpenAPI publishes about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from chat.shared.bodies import check_expectation
from chat.shared.errors import Invalid


@dataclass(frozen=True, slots=True)
class Operation(web.AbstractRouteDef):
    """A method and URL, the handler that answers, and the operation's `id` and `tag` in OpenAPI.

    `url`: the path, and the names of its query parameters, such as `/api/users?ids&q`. Other names are refused. Pages
    have `?*`, which ignores them; `?*&code` ignores all but one.
    `tag`: without one, the part of the id before the dot.
    `answer`: the name of the model in `chat/api_schema`, a media type such as `text/plain`, `redirect`, or
    `websocket`. Without one the answer is an object of the handler's own, or empty.
    `head`: HEAD is answered like GET, without the body; never for a redirect, whose GET does something.
    """

    method: str
    url: str
    handler: Handler
    id: str = ""
    tag: str = ""
    answer: str = ""
    head: bool = True

    @property
    def path(self) -> str:
        """Return the URL without its query parameters."""
        return self.url.rpartition("?")[0] or self.url

    @property
    def query(self) -> frozenset[str]:
        """Return the names of the query parameters."""
        return frozenset(self.url.rpartition("?")[2].split("&") if "?" in self.url else ())

    def group(self) -> str:
        """Return the operation's tag."""
        return self.tag or self.id.partition(".")[0]

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the route to a router, with a check of the Expect header that asks for no body."""
        if self.method == "GET":
            head = self.head and self.answer != "redirect"
            route = router.add_get(self.path, self.handler, allow_head=head, expect_handler=check_expectation)
        else:
            route = router.add_route(self.method, self.path, self.handler, expect_handler=check_expectation)
        return [route]


# Query parameters: a name that a route does not know is refused, as an unknown field of a body is. If it was ignored, a
# misspelled cursor would lose messages without a word.

PARAMETERS: web.AppKey[Mapping[Handler, frozenset[str]]] = web.AppKey("parameters")


class UnknownParameter(Invalid):
    """This URL does not have such a query parameter. See `errors`."""

    code = "unknown_parameter"


def name_parameters(routes: Iterable[Operation]) -> Mapping[Handler, frozenset[str]]:
    """Return the names of the query parameters of each handler, without handlers that ignore other names."""
    return {route.handler: route.query for route in routes if "*" not in route.query}


def check_parameters(request: web.Request) -> None:
    """Raise `UnknownParameter` if the query has a name that the route does not know."""
    known = request.app[PARAMETERS].get(request.match_info.handler)
    if known is not None and (unknown := request.query.keys() - known):
        accepted = f"this URL accepts: {', '.join(sorted(known))}" if known else "this URL accepts no parameters"
        raise UnknownParameter(errors=[{"field": name, "detail": accepted} for name in sorted(unknown)])
