"""``serve``: the app on a port of this machine, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from modgap import _web
from modgap._web import Guard

from ._app import make_app
from ._store import Store


def serve(
    store: Store,
    *,
    host: str = "127.0.0.1",
    port: int = 8712,
    token: str | None = None,
    allow_hosts: Sequence[str] = (),
    ready: Callable[[str], None] = print,
) -> None:
    """Serve a store until the process is interrupted.

    Args:
        store: of the folder.
        host, port, token, allow_hosts, ready: as for :func:`modgap._web.serve`.

    Raises:
        InputError: as there.
    """

    def made(names: Collection[str], addresses: bool, port: int) -> Guard:
        return make_app(store, token=token, names=names, addresses=addresses, cookie=f"modgap-{port}")

    _web.serve(made, host=host, port=port, token=token, allow_hosts=allow_hosts, ready=ready)
