"""Rate limits of read marks, settings and blocks."""

from tests.cast import casting
from tests.nodes import running_node
from tests.verbs import CONVERSATIONS, begins, notices, tries


async def test_marks_and_changes_are_limited(database_url: str, redis_url: str) -> None:
    """Settings and blocks share the limit of changes, read marks have their own; each user counts alone."""
    rates = {"rate_limits": True, "rate_change": "3/minute", "rate_read": "2/minute"}
    async with running_node(database_url, redis_url, **rates) as node, casting(database_url, node.url) as cast:
        ana, ben = await cast.enters("ana", "ben")
        room = await begins(ana, "channel", "room", ben)
        assert await notices(ana, room, level="mentions") == (200, "")
        assert await tries(ana, "PUT", f"/api/users/{ben.id}/block") == (204, "")
        assert await notices(ana, room, level="all") == (429, "too_fast")
        for method in ("PUT", "DELETE"):
            assert await tries(ana, method, f"/api/users/{ben.id}/block") == (429, "too_fast")
        mark = "PUT", f"{CONVERSATIONS}/{room}/read", {"seq": 0}
        assert [(await tries(ana, *mark))[0] for _ in range(3)] == [204, 204, 429]
        assert await tries(ben, *mark) == (204, "")
