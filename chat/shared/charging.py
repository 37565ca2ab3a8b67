"""Charging: every request counts against one limit, its caller's or that of the address it comes from.

`chat/route_limits.py` names the limit of each route. `require_identity` charges the caller as soon as they are known:
a request that is refused afterwards (403, 404, 422) costs as much as one that is answered. What no session vouches for
is charged to the address by the middleware.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from chat.shared.rates import Limit, Rates


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request costs: `cost` of the limit that `Rates` has under this name."""

    limit: str
    cost: int = 1


FREE = Charge("")  # answered from memory, or limited by the handler itself
CHARGES: web.AppKey[Mapping[Handler, Charge]] = web.AppKey("charges")
CHARGED = web.RequestKey("charged", bool)


def charge_caller(request: web.Request, rates: Rates, user_id: int) -> None:
    """Count the request against its route's limit, once; raise `TooFast`."""
    if CHARGED in request:
        return
    request[CHARGED] = True
    charge = find_charge(request)
    if charge is not None and charge is not FREE:
        limit: Limit = getattr(rates, charge.limit)
        limit.spend(user_id, charge.cost)


def find_charge(request: web.Request) -> Charge | None:
    """Return what the route costs; None for an address that has no route."""
    return request.app[CHARGES].get(request.match_info.handler)
