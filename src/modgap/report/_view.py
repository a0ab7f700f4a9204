"""``view``: the runs below a folder in a browser, with a list of all of them and any two side by side.

    modgap view runs

A report is written again where it is older than its records or was not made by this version. Run folders are
untrusted: nothing outside the folder is served, no script but that of the reports runs, and nothing is
fetched from elsewhere.
"""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from modgap import _web
from modgap._errors import FileError, InputError, ModgapError
from modgap._web import Guard
from modgap.evaluate import compare, open_run
from modgap.report._compare import comparison_page
from modgap.report._index import Entry, find, report_of
from modgap.report._render import render, script_hash
from modgap.report._write import REPORT_FILE

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".json": "application/json",
    ".jsonl": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
"""Endings that are served, and as what; nothing else is."""


def serve(
    root: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8711,
    token: str | None = None,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve the runs below a folder until the process is interrupted.

    Args:
        root: a folder of runs, or a run.
        host, port, token, ready: as for :func:`modgap._web.serve`.

    Raises:
        FileError: ``root`` is no folder.
        InputError: the server would be open to others, or the port cannot be had.
    """
    if not root.is_dir():
        raise FileError(f"{root}: no such folder; give a run, or a folder that holds runs")

    def made(names: Collection[str], addresses: bool, port: int) -> Guard:
        return make_app(root, token=token, names=names, addresses=addresses)

    _web.serve(made, host=host, port=port, token=token, ready=ready)


def make_app(
    root: Path,
    *,
    token: str | None = None,
    names: Collection[str] = ("localhost",),
    addresses: bool = False,
) -> Guard:
    """The app of a folder.

    Args:
        root: a folder of runs, or a run.
        token: that visitors must know, as the password of any user; ``None`` lets in who can reach it.
        names: host names of this server, in lower case.
        addresses: whether any address is accepted as host, not only those of the loopback.

    Returns:
        An ASGI app.
    """
    pages = _Pages(root.resolve(), token)
    routes = [
        Route("/", pages.index),
        Route("/compare", pages.compare),
        Route("/open/{place:path}", pages.open),
        Route("/file/{place:path}", pages.file),
    ]
    return Guard(Starlette(routes=routes), names, addresses=addresses)


def _policy() -> str:
    """Only the script of the reports runs, whatever a file in a run folder holds."""
    return (
        "default-src 'none'; img-src 'self' data:; media-src 'self' data:; style-src 'unsafe-inline'; "
        f"script-src {script_hash()}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class _Pages:
    def __init__(self, root: Path, token: str | None) -> None:
        self._root = root
        self._token = token
        self._known: dict[tuple[str, float], Entry] = {}
        self._writing = threading.Lock()  # one report at a time

    async def index(self, request: Request) -> Response:
        return await self._answer(request, lambda: HTMLResponse(self._index()))

    async def compare(self, request: Request) -> Response:
        return await self._answer(request, lambda: HTMLResponse(self._compare(request)))

    async def open(self, request: Request) -> Response:
        return await self._answer(request, lambda: self._open(request.path_params["place"]))

    async def file(self, request: Request) -> Response:
        return await self._answer(request, lambda: self._file(request.path_params["place"]))

    async def _answer(self, request: Request, make: Callable[[], Response]) -> Response:
        if not self._let_in(request):
            wanted = {"WWW-Authenticate": 'Basic realm="modgap: any name, the token as password"'}
            return PlainTextResponse("The token is needed as password.", 401, wanted)
        try:
            answer = await run_in_threadpool(make)
        except ModgapError as error:
            answer = HTMLResponse(self._page("message.html", "modgap", message=str(error)), 404)
        answer.headers["Content-Security-Policy"] = _policy()
        return answer

    def _let_in(self, request: Request) -> bool:
        if self._token is None:
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            password = base64.b64decode(given, validate=True).partition(b":")[2]
        except ValueError:
            return False
        return kind.lower() == "basic" and hmac.compare_digest(password, self._token.encode())

    def _index(self) -> str:
        entries = find(self._root, self._known)
        title = f"modgap: {self._root.name}"
        return self._page("index.html", title, entries=entries, place=self._root.name, quote=quote)

    def _compare(self, request: Request) -> str:
        places = list(dict.fromkeys(request.query_params.getlist("run")))
        if not 2 <= len(places) <= 12:
            raise InputError(f"{len(places)} runs were chosen: tick two to twelve in the list")
        runs = [open_run(self._inside(place)) for place in places]
        records = [(place, run.records()) for place, run in zip(places, runs, strict=True)]
        return comparison_page(compare(records))

    def _open(self, place: str) -> Response:
        folder = self._inside(place)
        with self._writing:
            page = report_of(folder, fresh=_is_fresh)
        return RedirectResponse("/file/" + quote(page.relative_to(self._root).as_posix()), 303)

    def _file(self, place: str) -> Response:
        path = self._inside(place)
        kind = TYPES.get(path.suffix.lower())
        if kind is None or not path.is_file():
            raise FileError(f"{place}: there is no such file that could be shown")
        return FileResponse(path, media_type=kind)

    def _inside(self, place: str) -> Path:
        """The path of a place, links followed, never outside the folder or in a hidden one."""
        try:
            path = (self._root / place).resolve(strict=True)
        except (OSError, ValueError) as error:  # a null byte, a loop of links, a name too long
            raise FileError("there is no such place below the folder that is shown") from error
        inside = path.relative_to(self._root) if path.is_relative_to(self._root) else None
        if inside is None or any(part.startswith(".") for part in inside.parts):
            raise FileError("there is no such place below the folder that is shown")
        return path

    def _page(self, template: str, title: str, **values: object) -> str:
        return render(template, pictures="'self'", forms="'self'", title=title, **values)


def _is_fresh(folder: Path) -> bool:
    """Whether a report is younger than all it shows, and its script is the one that may run."""
    report = folder / REPORT_FILE
    if not report.is_file():
        return False
    shown = [path for path in folder.glob("*.json*") if path.is_file()]
    if any(path.stat().st_mtime > report.stat().st_mtime for path in shown):
        return False
    with report.open("rb") as file:
        return script_hash().encode() in file.read(4096).replace(b"&#39;", b"'")
