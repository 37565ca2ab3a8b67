"""Presence's part of the URL table."""

from aiohttp import web

from presence import endpoints

P = "/api/presence"

PRESENCE = [
    web.get(P, endpoints.get_presence),
    web.get(P + "/socket", endpoints.get_socket),
    web.post(P + "/ticket", endpoints.post_ticket),
    web.get(P + "/nodes", endpoints.get_nodes),
    web.get(P + "/stats", endpoints.get_stats),
    web.get(P + "/evidence/{user}", endpoints.get_evidence),
    web.post(P + "/reconcile", endpoints.post_reconcile),
]
