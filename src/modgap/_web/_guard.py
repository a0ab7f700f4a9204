"""What stands before the app: which requests are let in, and what every answer says to the browser.

- *Host*: only names of this machine, so that a foreign name pointed at it (DNS rebinding) is of no use.
- *Origin*: a request that changes something must come from a page of this server.
- *Size*: nothing longer than ``MAX_BODY`` is read.
- *Policy*: only script, style and pictures of this server, none inside a page, no frames, unless the app
  answers with a policy of its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 512 * 1024
"""Longest body of a request, in bytes; 500 marks with corrections take half of it."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: it would make the Origin of a form "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """An app behind the guard.

    Args:
        app: what it guards.
        names: host names that are let in, in lower case. Addresses are let in too if ``addresses``: a name
            can be pointed elsewhere, an address cannot.
        addresses: whether any address may be the host, not only those of the loopback.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], *, addresses: bool) -> None:
        self._app = app
        self._names = frozenset(names)
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no websockets; the server closes this one
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise HTTPException(413, "The request is too long.")
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, limited, with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_own_host(hosts[0], self._names, self._addresses):
            return PlainTextResponse("This server is not known by that name; see --allow-host.", 421)
        if scope["method"] in ("GET", "HEAD"):
            return None
        origin = headers.get("origin", "")
        if origin.partition("://")[2].lower() != hosts[0].lower():
            return PlainTextResponse("The request does not come from a page of this server.", 403)
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("The request does not come from a page of this server.", 403)
        return None


def is_own_host(host: str, names: Collection[str], addresses: bool) -> bool:
    """Whether a ``Host`` header names this server.

    Args:
        host: with or without a port, untrusted.
        names: accepted in lower case.
        addresses: whether any address is accepted, or only those of the loopback.
    """
    name, colon, port = host.lower().rpartition(":")
    if not colon or not port.isdecimal() or host.endswith("]"):
        name = host.lower()
    if name in names:
        return True
    try:
        address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return addresses or address.is_loopback
