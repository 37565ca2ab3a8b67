"""Presence's part of the URL table."""

from chat.shared.route import Operation
from presence import endpoints
from presence.dashboard import endpoints as oversight

P = "/api/presence"
PRESENCE = [
    Operation("GET", P, endpoints.get_presence, "presence.get_presence", answer="Presence"),
    Operation("GET", P + "/socket", endpoints.get_socket, "presence.get_socket", answer="websocket", head=False),
    Operation("POST", P + "/ticket", endpoints.post_ticket, "presence.post_ticket", answer="Ticket"),
    Operation("GET", P + "/nodes", oversight.get_nodes, "oversight.get_nodes", tag="presence", answer="Nodes"),
    Operation(
        "PUT", P + "/nodes/{node}/drain", oversight.put_drain, "oversight.put_drain", tag="presence", answer="Drained"
    ),
    Operation("GET", P + "/stats", oversight.get_stats, "oversight.get_stats", tag="presence", answer="Stats"),
    Operation("GET", P + "/people", oversight.get_people, "oversight.get_people", tag="presence", answer="PeoplePage"),
    Operation("GET", P + "/rooms", oversight.get_rooms, "oversight.get_rooms", tag="presence", answer="Rooms"),
    Operation(
        "GET",
        P + "/evidence/{user}",
        oversight.get_evidence,
        "oversight.get_evidence",
        tag="presence",
        answer="Evidence",
    ),
    Operation(
        "POST", P + "/reconcile", oversight.post_reconcile, "oversight.post_reconcile", tag="presence", answer="Reaped"
    ),
]
