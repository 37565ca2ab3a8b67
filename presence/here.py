"""Who is here: what `@here` in a message means."""

from collections.abc import Collection

from chat.shared.registry.registry import Registry

PRESENT = {"online", "dnd"}


async def find_here(registry: Registry, user_ids: Collection[int]) -> set[int]:
    """Those of these people whom others see at work now. Raises that Redis is away."""
    views = await registry.look((user_id, 0, 0) for user_id in user_ids)
    return {user_id for user_id, (shown, *_) in views.items() if shown[1] in PRESENT}
