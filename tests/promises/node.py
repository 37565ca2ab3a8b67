"""The node that can be killed, as the stories know it."""

from chat.chaos.node import EVERYDAY, NodeProcess

__all__ = ["EVERYDAY", "NodeProcess"]
