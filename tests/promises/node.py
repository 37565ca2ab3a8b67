"""The node that can be killed, as the stories know it."""

from chat.tools.chaos.environment import EVERYDAY, NodeProcess

__all__ = ["EVERYDAY", "NodeProcess"]
