"""django-eventstream: one channel, no storage."""

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import include, path
from django_eventstream import send_event

settings.configure(
    DEBUG=False,
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django_eventstream"],
    ROOT_URLCONF="django_app",
    MIDDLEWARE=[],
    USE_TZ=True,
)

django.setup()


async def publish(request):
    """Send to all readers."""
    await sync_to_async(send_event)("bench", "message", request.body.decode(), json_encode=False)
    return HttpResponse("ok", status=201)


app = get_asgi_application()
urlpatterns = [
    path("sub", include("django_eventstream.urls"), {"channels": ["bench"]}),
    path("pub", publish),
]
