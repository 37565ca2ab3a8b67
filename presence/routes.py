"""The URLs of presence."""

from chat.shared.route import Operation
from presence import endpoints
from presence.dashboard import endpoints as dashboard

P = "/api/presence"
PRESENCE = [
    Operation("GET", P + "?users", endpoints.get_presence, "presence.get_presence", answer="Presence"),
    Operation(
        "GET",
        P + "/conversations/{conversation}",
        endpoints.get_present,
        "presence.get_present",
        answer="PresentMembers",
    ),
    Operation("GET", P + "/socket?ticket", endpoints.get_socket, "presence.get_socket", answer="websocket", head=False),
    Operation("POST", P + "/ticket", endpoints.post_ticket, "presence.post_ticket", answer="Ticket"),
    Operation("GET", P + "/nodes", dashboard.get_nodes, "oversight.get_nodes", tag="presence", answer="Nodes"),
    Operation(
        "PUT", P + "/nodes/{node}/drain", dashboard.put_drain, "oversight.put_drain", tag="presence", answer="Drained"
    ),
    Operation("GET", P + "/stats?minutes", dashboard.get_stats, "oversight.get_stats", tag="presence", answer="Stats"),
    Operation(
        "GET",
        P + "/people?after&limit&node&q&status",
        dashboard.get_people,
        "oversight.get_people",
        tag="presence",
        answer="PeoplePage",
    ),
    Operation("GET", P + "/rooms?limit&q", dashboard.get_rooms, "oversight.get_rooms", tag="presence", answer="Rooms"),
    Operation(
        "GET",
        P + "/evidence/{user}",
        dashboard.get_evidence,
        "oversight.get_evidence",
        tag="presence",
        answer="Evidence",
    ),
    Operation(
        "POST", P + "/reconcile", dashboard.post_reconcile, "oversight.post_reconcile", tag="presence", answer="Reaped"
    ),
]
