"""Errors of the API. An error's docstring is the `detail` of its problem document (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

ERRORS_MOST = 10
TEXT_MOST = 200  # characters of a text in a problem document


class ApiError(Exception):
    """The request was rejected."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    headers: ClassVar[Mapping[str, str]] = {}  # that a response with this status must have

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: list[dict[str, str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip())
        self.errors, self.retry_after = errors, retry_after

    def to_problem(self) -> dict[str, Any]:
        """Return the `application/problem+json` document. `errors`, if there are any, names ten at most."""
        title = HTTPStatus(self.status).phrase
        errors = [trim(error) for error in (self.errors or ())[:ERRORS_MOST]]
        problem = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "code": self.code,
            "detail": str(self)[:TEXT_MOST],
        }
        return problem | ({"errors": errors} if errors else {})


def trim(error: dict[str, str]) -> dict[str, str]:
    """Shorten the texts of an error, so that the size of a document does not follow what the caller sent."""
    return {name: text[:TEXT_MOST] for name, text in error.items()}


class Unauthenticated(ApiError):
    """This needs a session. Log in first."""

    status, code = 401, "unauthenticated"


class Forbidden(ApiError):
    """You don't have permission to do that."""

    status, code = 403, "forbidden"


class AdminsOnly(Forbidden):
    """Only admins can do this."""

    code = "admins_only"


class ReauthenticationRequired(Forbidden):
    """Confirm your identity first with POST /api/sessions/current/proof, then repeat this request."""

    code = "reauthentication_required"


class SecondFactorMissing(Forbidden):
    """Admins of this server need a second factor. Set one up first."""

    code = "second_factor_required"


class ForeignOrigin(ApiError):
    """The Origin of this request is neither this host nor in ALLOWED_ORIGINS."""

    status, code = 403, "foreign_origin"


class NotFound(ApiError):
    """Not found, or you do not have access."""

    status, code = 404, "not_found"


class NotAllowed(ApiError):
    """This URL does not support that method."""

    status, code = 405, "method_not_allowed"


class TooLarge(ApiError):
    """The request body is too large."""

    status, code = 413, "too_large"


class Compressed(ApiError):
    """Request bodies cannot be compressed. Send the body without Content-Encoding."""

    status, code = 415, "compressed"


class ExpectationFailed(ApiError):
    """The only supported expectation is 100-continue."""

    status, code = 417, "expectation_failed"


class BadBody(ApiError):
    """The encoding of the request body does not match its headers."""

    status, code = 400, "bad_body"


class Invalid(ApiError):
    """Some fields are missing, unknown or wrong. See `errors`."""

    status, code = 422, "invalid"


class NotWebSocket(ApiError):
    """This URL accepts WebSocket connections only."""

    status, code = 426, "upgrade_required"
    headers: ClassVar[Mapping[str, str]] = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


class RateLimited(ApiError):
    """Too many requests. Try again after the seconds in Retry-After."""

    status, code = 429, "too_fast"


class Unavailable(ApiError):
    """The server cannot do this right now. Try again after the seconds in Retry-After."""

    status, code = 503, "unavailable"


class Overloaded(ApiError):
    """The server is overloaded; nothing was stored. Try again after the seconds in Retry-After."""

    status, code = 503, "overloaded"


class NodeDraining(ApiError):
    """This node is draining. Try again to reach another node."""

    status, code = 503, "draining"


class Unfinished(ApiError):
    """The connection closed before the request body was complete."""

    status, code = 400, "unfinished"


class TooSlow(ApiError):
    """The request body did not arrive in time."""

    status, code = 408, "too_slow"


class Failed(ApiError):
    """Something went wrong on this server. It has been logged."""

    status, code = 500, "failed"
