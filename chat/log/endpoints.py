"""Where endpoints that change something find the log."""

from aiohttp import web

from chat.log.append import Log

LOG = web.AppKey("log", Log)
