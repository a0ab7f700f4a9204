"""``serve``: an app on a port of this machine, until Ctrl-C."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence

import uvicorn
from starlette.types import ASGIApp

from modgap._errors import InputError

MIN_TOKEN = 12
"""Shortest access token, in characters."""

MakeApp = Callable[[Collection[str], bool, int], ASGIApp]
"""Host names that are let in, whether any address is, and the port → the app."""


def serve(
    make_app: MakeApp,
    *,
    host: str = "127.0.0.1",
    port: int,
    token: str | None = None,
    allow_hosts: Sequence[str] = (),
    ready: Callable[[str], None] = print,
) -> None:
    """Serve an app until the process is interrupted.

    Args:
        make_app: makes it; what it lets in is up to it.
        host: an address of this machine or ``localhost``; others than the loopback need a token.
        port: 1 to 65535, or 0 for any that is free.
        token: that visitors must know.
        allow_hosts: further host names this server is known by, behind a proxy for example; need a token.
        ready: called with the address of the first page once the port is open.

    Raises:
        InputError: if the server can be reached from elsewhere and has no token, the token is short, or the
            port cannot be had.
    """
    check_access(host, token, allow_hosts)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)  # from here on a browser waits instead of being turned away
        except (OSError, OverflowError) as error:
            raise InputError(f"port {port} of {host} cannot be had ({error}); give another --port") from error
        port = listener.getsockname()[1]
        own = {"localhost", socket.gethostname().lower(), *(name.lower() for name in allow_hosts)}
        names = {"localhost"} if is_loopback(host) and not allow_hosts else own
        config = uvicorn.Config(
            make_app(names, not is_loopback(host), port),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            limit_concurrency=200,
            timeout_graceful_shutdown=2,
        )
        shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
        ready(f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/")
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def check_access(host: str, token: str | None, allow_hosts: Sequence[str] = ()) -> None:
    """Refuse to be open to others.

    Raises:
        InputError: if a host is not the loopback and there is no token, or the token is short.
    """
    known_as = next((name for name in (host, *allow_hosts) if not is_loopback(name)), None)
    if token is None and known_as is not None:
        raise InputError(
            f"host {known_as!r} can be reached from other machines; give a --token that visitors must "
            f"know, or leave {'--allow-host' if is_loopback(host) else '--host'} out"
        )
    if token is not None and len(token) < MIN_TOKEN:
        raise InputError(f"the token has {len(token)} characters; give {MIN_TOKEN} or more")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
