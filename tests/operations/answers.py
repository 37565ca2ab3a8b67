"""The response model of each handler, by the handler's name, as the URL table says."""

from chat.api_schema.openapi import MODELS
from chat.app import ROUTES

ANSWERS = {route.handler.__name__: MODELS[route.answer] for route in ROUTES["all"] if route.answer in MODELS}
