"""What can go wrong at the API server, as one tree with the server's own words in the message.

::

    KubeError
    ├── Misconfigured     no kubeconfig, no such context, no credentials on disk: nothing was sent
    ├── Unauthorized      401, also after the credentials were read again
    ├── Forbidden         403
    ├── NotFound          404: no such object, or the kind is not served
    ├── Conflict          409, or a JSON Patch that does not fit the object any more (the server answers that with 422)
    │   └── AlreadyExists 409 on create
    ├── Gone              410: the resource version or the continue token is too old, list again
    ├── Invalid           400, 413, 415, 422 and every other 4xx: sending the same thing again will fail again
    └── Unavailable       429, 5xx, refused or broken connection, timeout: try again later

After ``Unavailable`` from a write nobody knows whether the write happened. Read before writing again.
"""

# ruff: noqa: N818 - named for what happened, as the API server names its reasons
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 1000  # characters
_PATCH_DOES_NOT_FIT = "the server rejected our request due to an error in our request"


class KubeError(Exception):
    """The root. ``code`` is the HTTP status (0 when there was none), ``reason`` the server's ``Status.reason`` or empty."""

    def __init__(self, message: str, *, code: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Misconfigured(KubeError):
    """There is no usable configuration; a person has to act."""


class Unauthorized(KubeError):
    """The server does not know who we are."""


class Forbidden(KubeError):
    """The server knows us and refuses; a role is missing."""


class NotFound(KubeError):
    """There is no such object, or its kind is not served (its CRD is not established)."""


class Conflict(KubeError):
    """The object is not what the write was made for; read it again and decide again."""


class AlreadyExists(Conflict):
    """An object of that name is there already."""


class Gone(KubeError):
    """History before this point is gone; list again."""


class Invalid(KubeError):
    """The request itself is wrong, whenever it is sent."""


class Unavailable(KubeError):
    """No answer, or an answer that means "later". ``retry_after`` is in seconds, None when the server named no time."""

    def __init__(
        self, message: str, *, code: int = 0, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=code, reason=reason)
        self.retry_after = retry_after


_BY_CODE: Mapping[int, type[KubeError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
}


def from_status(code: int, status: Mapping[str, Any], *, retry_after: float | None = None) -> KubeError:
    """Make the error for HTTP status ``code`` and the body's ``Status`` document, which may be empty.

    ``retry_after`` is the header's value in seconds; ``Status.details.retryAfterSeconds`` stands in for it.
    """
    reason = str(status.get("reason") or "")
    message = _bounded(str(status.get("message") or f"HTTP {code}"))
    details = status.get("details") or {}
    if code == 429 or code >= 500:
        seconds = retry_after if retry_after is not None else details.get("retryAfterSeconds")
        wait = float(seconds) if seconds else None
        return Unavailable(message, code=code, reason=reason, retry_after=wait)
    if reason == "AlreadyExists":
        return AlreadyExists(message, code=code, reason=reason)
    if reason == "Expired":
        return Gone(message, code=code, reason=reason)
    return _BY_CODE.get(code, Invalid)(message, code=code, reason=reason)


def _bounded(message: str) -> str:
    """Cut the middle out: the server repeats whole objects in some messages, and says at the end what is wrong with them."""
    return (
        message if len(message) <= _LONGEST else f"{message[: _LONGEST // 2]} ... {message[-_LONGEST // 2 :]}"
    )


def patch_does_not_fit(error: KubeError) -> bool:
    """Tell whether ``error`` is the server's answer to a JSON Patch whose ``test`` failed or whose path is not there.

    The server uses 422 for both this and a document that fails validation; only the wording tells them apart.
    """
    return error.code == 422 and _PATCH_DOES_NOT_FIT in str(error)
