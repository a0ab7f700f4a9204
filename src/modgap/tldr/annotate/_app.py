"""The web app: pages by jinja2, changes by small JSON requests, pictures encoded again.

    app = make_app(Store(folder, read_items(folder)))

All text is escaped by jinja2. What annotators must not see, such as known errors, is not sent.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import parse_qs

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from modgap._errors import FileError, InputError
from modgap._web import Guard

from ._items import Item
from ._pictures import encode_again
from ._session import Session, Sessions, check_name
from ._store import Store
from ._words import touched
from ._work import Conflict, Mark, Marks, Step, Work

IDLE_SECONDS = 60.0
"""Without a key, click or movement for so long, time stands still (our choice: a caption is read by then)."""

_STATIC = {"annotate.css": "text/css", "annotate.js": "text/javascript", "icon.svg": "image/svg+xml"}
_MAX_MS = 7 * 24 * 3600 * 1000


class _WordMark(msgspec.Struct, frozen=True):
    """A mark as pages know it: from the first to the last word, both included."""

    first: int
    last: int
    type: str
    truth: str = ""


class _Change(msgspec.Struct, frozen=True):
    act: Literal["edit", "undo", "redo", "done", "time"]
    base: int
    active_ms: float
    key: str = ""
    amend: bool = False
    marks: tuple[_WordMark, ...] = ()


@dataclass(frozen=True)
class _Piece:
    """A word with the text before it, and the flags it is in."""

    gap: str
    word: str
    flag: str | None
    flag_ends: bool
    gap_flag: bool


def make_app(
    store: Store,
    *,
    token: str | None = None,
    names: Iterable[str] = ("localhost",),
    addresses: bool = False,
    cookie: str = "modgap",
    idle_seconds: float = IDLE_SECONDS,
) -> Guard:
    """The app of a store.

    Args:
        store: of the folder.
        token: that annotators must know; ``None`` lets in who can reach the server.
        names: host names of this server, in lower case.
        addresses: whether any address is accepted as host, not only those of the loopback.
        cookie: its name; two servers on one machine need two.
        idle_seconds: after which time stands still.

    Returns:
        An ASGI app.
    """
    pages = _Pages(store, Sessions(store.secret, token), cookie, idle_seconds)
    routes = [
        Route("/", pages.start),
        Route("/sign-in", pages.sign_in, methods=["POST"]),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
        Route("/caption/{number:int}", pages.caption),
        Route("/caption/{number:int}/image", pages.image),
        Route("/caption/{number:int}/change", pages.change, methods=["POST"]),
        Route("/static/{name}", _static),
    ]
    return Guard(Starlette(routes=routes), names, addresses=addresses)


class _Pages:
    def __init__(self, store: Store, sessions: Sessions, cookie: str, idle_seconds: float) -> None:
        self._store = store
        self._sessions = sessions
        self._cookie = cookie
        self._idle = idle_seconds
        self._decoding = threading.Lock()  # one large picture in memory at a time
        self._picture = lru_cache(maxsize=16)(encode_again)

    def start(self, request: Request) -> Response:
        session = self._session(request)
        if session.name:
            return self._render("overview.html", session, **self._progress(session.name))
        return self._sign_in_page(session)

    async def sign_in(self, request: Request) -> Response:
        session = self._session(request)
        form = await _form(request)
        if not self._sessions.is_form_token(session, form.get("form_token", "")):
            return self._sign_in_page(session, "The page was too old. Please try again.", 403)
        if not self._sessions.is_token(form.get("token", "")):
            return self._sign_in_page(session, "That is not the access token.", 403)
        try:
            name = check_name(form.get("name", ""))
        except InputError as error:
            return self._sign_in_page(session, str(error), 422)
        await run_in_threadpool(self._store.enrol, name)
        answer = RedirectResponse("/", 303)
        self._keep(answer, Session(session.visitor, name))
        return answer

    async def sign_out(self, request: Request) -> Response:
        session = self._session(request)
        form = await _form(request)
        answer = RedirectResponse("/", 303)
        if self._sessions.is_form_token(session, form.get("form_token", "")):
            answer.delete_cookie(self._cookie)
        return answer

    def caption(self, request: Request) -> Response:
        session = self._session(request)
        if not session.name:
            return RedirectResponse("/", 303)
        work = self._store.work(session.name, request.path_params["number"] - 1)
        if work is None:
            return RedirectResponse("/", 303)
        item = self._store.items[work.item_id]
        past, future = self._store.history(work)
        everything = self._progress(session.name)
        flags = _flag_words(item) if work.with_flags else []
        page = {
            "number": work.position + 1,
            "next": _following(everything["works"], work.position),
            "base": work.head,
            "done": work.done,
            "active_ms": work.active_ms,
            "idle_ms": round(self._idle * 1000),
            "types": self._store.types,
            "marks": _to_words(work.marks, item),
            "past": [_to_words(marks, item) for marks in past],
            "future": [_to_words(marks, item) for marks in future],
            "flags": flags,
            "form_token": self._sessions.form_token(session),
        }
        return self._render(
            "caption.html",
            session,
            work=work,
            pieces=_pieces(item, flags),
            rest=item.caption[item.words[-1].end :],
            count_flags=len(flags),
            types=self._store.types,
            page=msgspec.json.encode(page).decode(),
            **everything,
        )

    def image(self, request: Request) -> Response:
        session = self._session(request)
        work = self._store.work(session.name, request.path_params["number"] - 1) if session.name else None
        if work is None:
            return PlainTextResponse("There is no such picture.", 404)
        try:
            with self._decoding:
                data, mime = self._picture(self._store.items[work.item_id].image)
        except FileError:
            return PlainTextResponse("The picture is damaged.", 404)
        return Response(data, media_type=mime, headers={"Cache-Control": "private, max-age=600"})

    async def change(self, request: Request) -> Response:
        session = self._session(request)
        given = request.headers.get("x-form-token", "")
        if not session.name or not self._sessions.is_form_token(session, given):
            return JSONResponse({"error": "signed out"}, 403)
        if request.headers.get("content-type") != "application/json":
            return JSONResponse({"error": "send application/json"}, 415)
        body = await request.body()
        return await run_in_threadpool(self._change, session.name, request.path_params["number"] - 1, body)

    def _change(self, annotator: str, position: int, body: bytes) -> Response:
        try:
            change = msgspec.json.decode(body, type=_Change)
            work = self._store.work(annotator, position)
            if work is None:
                raise InputError("there is no such caption")
            head = self._apply(change, work)
        except (msgspec.DecodeError, UnicodeError, RecursionError, InputError) as error:
            return JSONResponse({"error": str(error)}, 422)
        except Conflict:
            return JSONResponse({"error": "changed elsewhere"}, 409)
        return JSONResponse({"base": head})

    def _apply(self, change: _Change, work: Work) -> int:
        if not 0 <= change.active_ms <= _MAX_MS or not 0 <= change.base < 2**53 or len(change.key) > 64:
            raise InputError("a time, revision or key that cannot be")
        active = round(change.active_ms)
        if change.act == "time":
            self._store.spend(work.annotator, work.position, active)
            return change.base
        if not change.key:
            raise InputError("a change needs a key")
        step = Step(work.annotator, work.position, change.base, change.key, active)
        match change.act:
            case "edit":
                marks = _to_marks(change.marks, self._store.items[work.item_id])
                return self._store.edit(step, marks, amend=change.amend)
            case "undo":
                return self._store.undo(step)
            case "redo":
                return self._store.redo(step)
            case "done":
                return self._store.finish(step)

    def _progress(self, name: str) -> dict[str, Any]:
        works = self._store.all_work(name)
        return {
            "works": works,
            "count_done": sum(work.done for work in works),
            "continue_at": _following(works, -1),
        }

    def _session(self, request: Request) -> Session:
        return self._sessions.read(request.cookies.get(self._cookie))

    def _keep(self, answer: Response, session: Session) -> None:
        answer.set_cookie(
            self._cookie, self._sessions.write(session), httponly=True, samesite="strict", max_age=30 * 86400
        )

    def _sign_in_page(self, session: Session, problem: str = "", status: int = 200) -> Response:
        wanted = self._sessions.token is not None
        return self._render("sign_in.html", session, status, problem=problem, token_wanted=wanted)

    def _render(self, template: str, session: Session, status: int = 200, **values: Any) -> Response:
        page = _environment().get_template(template)
        form_token = self._sessions.form_token(session)
        answer = HTMLResponse(page.render(name=session.name, form_token=form_token, **values), status)
        self._keep(answer, session)
        return answer


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("modgap.tldr.annotate"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return PlainTextResponse("There is no such file.", 404)
    content = (files("modgap.tldr.annotate") / "templates" / name).read_bytes()
    return Response(content, media_type=_STATIC[name], headers={"Cache-Control": "no-cache"})


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    with contextlib.suppress(ValueError):
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10, keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}
    return {}


def _following(works: list[Work], position: int) -> int | None:
    """Number of the next caption that is not done, from 1, going around at the end; ``None`` if all are."""
    open_ = [work.position for work in works if not work.done and work.position != position]
    later = [at for at in open_ if at > position]
    return (later or open_)[0] + 1 if open_ else None


def _pieces(item: Item, flags: list[dict[str, Any]]) -> list[_Piece]:
    names: dict[int, str] = {}
    for flag in flags:
        for index in range(flag["first"], flag["last"] + 1):
            names[index] = flag["type"]
    inner = {index for flag in flags for index in range(flag["first"] + 1, flag["last"] + 1)}
    ends = {flag["last"] for flag in flags}
    pieces = []
    before = 0
    for index, word in enumerate(item.words):
        gap, text = item.caption[before : word.start], item.caption[word.start : word.end]
        pieces.append(_Piece(gap, text, names.get(index), index in ends, index in inner))
        before = word.end
    return pieces


def _flag_words(item: Item) -> list[dict[str, Any]]:
    spans = sorted(item.flags, key=lambda flag: (flag.start, flag.end))
    found = []
    for flag in spans:
        hit = touched(item.words, flag.start, flag.end)
        found.append({"first": hit[0], "last": hit[-1], "type": flag.type, "score": flag.score})
    return found


def _to_words(marks: Marks, item: Item) -> list[_WordMark]:
    found = []
    for mark in marks:
        hit = touched(item.words, mark.start, mark.end)
        if hit:
            found.append(_WordMark(hit[0], hit[-1], mark.type, mark.truth))
    return found


def _to_marks(marks: tuple[_WordMark, ...], item: Item) -> Marks:
    for mark in marks:
        if not 0 <= mark.first <= mark.last < len(item.words):
            raise InputError(f"words {mark.first} to {mark.last} are not in this caption")
    return tuple(
        Mark(item.words[mark.first].start, item.words[mark.last].end, mark.type, mark.truth) for mark in marks
    )
