"""The screens of the dashboard."""

from playwright.async_api import expect

from tests.journeys.pictures.stage import Stage
from tests.journeys.pictures.view import Scene, View, scene


async def board(view: View) -> None:
    """The dashboard with figures, a chart and conversations."""
    await view.opens("/dashboard")
    await view.page.locator(".u-over").first.wait_for()
    await view.page.get_by_role("region", name="Users by conversation").get_by_role("listitem").nth(2).wait_for()


async def board_below(view: View) -> None:
    """The lower part of the dashboard."""
    await board(view)
    await view.page.get_by_role("heading", name="Message log").scroll_into_view_if_needed()
    await view.page.evaluate("document.querySelector('.board').scrollTop += 400")


async def team(view: View) -> None:
    """The team's figures."""
    await view.opens("/dashboard/team")
    await view.page.locator(".u-over").first.wait_for()


async def team_below(view: View) -> None:
    """The lower part of the team's figures."""
    await team(view)
    await view.page.get_by_role("link", name="Show all integrations").scroll_into_view_if_needed()


async def glossary(view: View) -> None:
    """The meaning of a figure."""
    await team(view)
    await view.page.get_by_role("button", name="All messages").click()
    await view.page.get_by_role("tooltip").wait_for()


async def board_month(view: View) -> None:
    """A month of figures."""
    await board(view)
    await view.presses("30 d")
    await expect(view.page.get_by_role("region", name="Over time")).to_have_attribute("aria-busy", "false")


async def people(view: View) -> None:
    """The list of users."""
    await view.opens("/dashboard/people")
    await view.page.get_by_role("button", name="Ben Okafor").wait_for()


async def evidence(view: View) -> None:
    """The evidence behind a user."""
    await people(view)
    await view.page.get_by_role("button", name="Ben Okafor").click()
    await view.page.get_by_role("dialog").get_by_role("article").wait_for()


async def confirming(view: View) -> None:
    """A confirmation dialog."""
    await board(view)
    await view.presses("Drain b1")


async def audit(view: View) -> None:
    """The activity log."""
    await view.opens("/dashboard/audit")
    await view.page.get_by_text("presence.reconcile").first.wait_for()


async def imports(view: View) -> None:
    """The imports."""
    await view.opens("/dashboard/imports")
    await view.page.get_by_role("button", name="Choose a file").wait_for()


async def keys(view: View) -> None:
    """The form for an API key."""
    await view.opens("/dashboard/keys")
    await view.presses("Create API key")
    await view.page.get_by_role("form", name="Create API key").wait_for()


async def draining(view: View) -> None:
    """A draining node."""
    admin = view.stage.people["ana"]
    await admin.call("PUT", "/api/presence/nodes/b1/drain", {"draining": True})
    await board(view)
    await view.page.get_by_role("button", name="Resume b1").wait_for()
    await view.page.get_by_role("article", name="Node b1").scroll_into_view_if_needed()


async def brought_back(stage: Stage) -> None:
    """A resumed node."""
    await stage.people["ana"].call("PUT", "/api/presence/nodes/b1/drain", {"draining": False})


async def nobody(view: View) -> None:
    """No user with that name."""
    await people(view)
    await view.page.get_by_role("searchbox").first.fill("nobody like that")
    await view.page.get_by_text("nobody like that").or_(view.page.get_by_text("No matching users.")).first.wait_for()


BOARD = [
    Scene("board", board),
    Scene("board-month", board_month),
    Scene("board-below", board_below),
    Scene("board-team", team),
    Scene("board-team-below", team_below),
    Scene("board-glossary", glossary),
    Scene("board-people", people),
    Scene("board-people-none", nobody),
    Scene("board-evidence", evidence),
    Scene("board-confirm", confirming),
    Scene("board-audit", audit),
    Scene("board-keys", keys),
    Scene("board-imports", imports),
    Scene("board-announce", scene("/dashboard", "Announce")),
    Scene("board-draining", draining, after=brought_back),
    Scene("board-members", scene("/dashboard", until="The dashboard is for admins"), who="ben"),
]
