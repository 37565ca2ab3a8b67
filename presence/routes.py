"""Presence's part of the URL table."""

from aiohttp import web

from presence import endpoints
from presence.oversight import endpoints as oversight

P = "/api/presence"

PRESENCE = [
    web.get(P, endpoints.get_presence),
    web.get(P + "/socket", endpoints.get_socket, allow_head=False),
    web.post(P + "/ticket", endpoints.post_ticket),
    web.get(P + "/nodes", oversight.get_nodes),
    web.put(P + "/nodes/{node}/drain", oversight.put_drain),
    web.get(P + "/stats", oversight.get_stats),
    web.get(P + "/people", oversight.get_people),
    web.get(P + "/rooms", oversight.get_rooms),
    web.get(P + "/evidence/{user}", oversight.get_evidence),
    web.post(P + "/reconcile", oversight.post_reconcile),
]
