"""What a response means: a reply, or a failure and what to do about it.

Everything in a response is untrusted: it may be of any type and length, and may repeat the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from modgap.models._query import Query, Reply

from ._key import Key, key_hint
from ._post import MAX_BODY, NoResponse, Response
from ._scores import scored_reply, wants_scores
from ._settings import Settings

_REPEAT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
"""Statuses of passing trouble; those above 511 are what proxies and crowded providers use."""

_MAX_MESSAGE = 300


@dataclass(frozen=True)
class Failure:
    """Why a call gave no reply.

    Args:
        message: in words, without the key.
        repeat: the same call may work later.
        fatal: every other call would fail the same.
        unreachable: there was no connection.
        slow_down: the server said that it gets too many calls.
        usage: tokens that the failed call cost all the same.
    """

    message: str
    repeat: bool = False
    fatal: bool = False
    unreachable: bool = False
    slow_down: bool = False
    usage: Mapping[str, float] | None = None


def read_response(
    response: Response | NoResponse, query: Query, settings: Settings, key: Key | None, worked: bool
) -> Reply | Failure:
    """Decide what a response means.

    Args:
        response: from :func:`post`.
        query: what was asked.
        settings: of the endpoint.
        key: the key that was sent, to keep it out of messages.
        worked: an earlier call to this endpoint gave a reply.
    """
    if isinstance(response, NoResponse):
        message = _clean(f"{settings.host}: {response.message}", key)
        return Failure(message, repeat=True, unreachable=response.kind == "unreachable")
    if 300 <= response.status < 400:
        return _redirect(response, settings)
    if response.status >= 400:
        return _http_error(response, settings, key, worked)
    if response.cut:
        return Failure(f"{settings.host}: the reply is longer than {MAX_BODY // 2**20} MB")
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return Failure(f"{settings.host}: {_not_json(response.body, key)}", repeat=True)
    found = _read_completion(body, query, settings)
    if isinstance(found, Failure):
        return Failure(
            _clean(f"{settings.host}: {found.message}", key), repeat=found.repeat, usage=_usage(body)
        )
    text = (found.text or "").strip()  # as local models do
    if key is not None and key.is_secret:
        text = key.hide(text)  # replies are stored
    return replace(found, text=text, usage=_usage(body))


def _read_completion(body: Any, query: Query, settings: Settings) -> Reply | Failure:
    if not isinstance(body, dict):
        return Failure(f"expected a JSON object, got {type(body).__name__}", repeat=True)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        if body.get("error"):  # some gateways report an error with status 200
            return Failure(f"error in the reply: {_error_message(body)}", repeat=True)
        return Failure("the reply holds no choices", repeat=True)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return Failure("the first choice holds no message", repeat=True)
    text, refusal, reason = _text(message.get("content")), message.get("refusal"), choice.get("finish_reason")
    if text is None and message.get("content") is not None:
        return Failure(f"content is {type(message['content']).__name__}, expected text", repeat=True)
    if isinstance(refusal, str) and refusal and not text:
        return Reply(_valid(refusal), refused=True)
    if reason == "content_filter":
        return Reply(text or "", refused=True)
    if text:
        scored = scored_reply(choice, query) if wants_scores(query, settings) else None
        return scored or Reply(text)
    if reason == "length":
        return Failure(
            f"the model reached the limit of {settings.max_tokens_field} before it said anything; "
            "raise max_tokens (models that reason need thousands)"
        )
    if message.get("tool_calls"):
        return Failure("the model called a tool and gave no text")
    return Reply("")


def _text(content: Any) -> str | None:
    """The visible text of a content field: a string, or parts of which those of type text count."""
    if isinstance(content, str):
        return _valid(content)
    if isinstance(content, list):
        parts = [p for p in content if isinstance(p, dict) and p.get("type") in ("text", "output_text")]
        return _valid("".join(p["text"] for p in parts if isinstance(p.get("text"), str)))
    return None


def _valid(text: str) -> str:
    """Half a surrogate pair, which a cut reply may end with, cannot be stored as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _usage(body: Any) -> dict[str, float] | None:
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return None
    details = usage.get("completion_tokens_details")
    found = {
        "input_tokens": usage.get("prompt_tokens"),
        "output_tokens": usage.get("completion_tokens"),
        "reasoning_tokens": details.get("reasoning_tokens") if isinstance(details, dict) else None,
        "cost": usage.get("cost"),
    }
    return {name: float(value) for name, value in found.items() if _is_amount(value)} or None


def _is_amount(value: Any) -> TypeGuard[float]:
    # JSON knows integers that are no float and, as Python reads it, NaN; neither is a count of tokens.
    return type(value) in (int, float) and 0 <= value < 1e15


def _http_error(response: Response, settings: Settings, key: Key | None, worked: bool) -> Reply | Failure:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    status, code = response.status, _error_code(body)
    said = _clean(_error_message(body) if body is not None else _not_json(response.body, key), key)
    message = f"{settings.host}: HTTP {status}: {said}"
    if status == 400 and code == "content_filter":
        return Reply(said, refused=True)
    if status == 401 or (status == 403 and not worked):
        return Failure(f"{message}; {key_hint(settings, key)}", fatal=True)
    if status == 402 or code == "insufficient_quota":
        return Failure(f"{message}; the account cannot pay for more calls; run again when it can", fatal=True)
    if status in (404, 405):
        hint = f"check the model name {settings.model!r} and the url, which is used as {settings.address}"
        return Failure(f"{message}; {hint}", fatal=True)
    if status in (400, 422) and settings.answer == "options" and "logprobs" in said:
        return Failure(f"{message}; the options cannot be scored here, use answer 'generate'", fatal=True)
    if code in ("unsupported_parameter", "unsupported_value"):
        hint = "set max_tokens_field=max_completion_tokens, or omit=temperature for the field it names"
        return Failure(f"{message}; {hint}", fatal=True)
    if status in _REPEAT:
        return Failure(message, repeat=True, slow_down=status in (429, 529))
    return Failure(message)


def _redirect(response: Response, settings: Settings) -> Failure:
    try:
        target = urlsplit(response.headers.get("location", ""))
        place = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else "another path"
    except ValueError:
        place = "another place"
    message = (
        f"{settings.host}: HTTP {response.status}: the server redirects to {place}, "
        "which is not followed because the key would go there too; give the final address as url"
    )
    return Failure(_clean(message, None), fatal=True)


def _error_of(body: Any) -> Any:
    return body.get("error", body) if isinstance(body, dict) else body


def _error_code(body: Any) -> str:
    error = _error_of(body)
    return str(error.get("code") or "") if isinstance(error, dict) else ""


def _error_message(body: Any) -> str:
    error = _error_of(body)
    if isinstance(error, dict):
        for name in ("message", "detail", "code", "type"):
            if error.get(name):
                return str(error[name])
    return str(error) if error else "no explanation"


def _not_json(body: bytes, key: Key | None) -> str:
    start = body[: 4 * _MAX_MESSAGE].decode("utf-8", "replace").strip()
    if not start:
        return "expected JSON, got an empty reply"
    kind = "an HTML page" if start.startswith("<") else "text that is not complete JSON"
    return f"expected JSON, got {kind} beginning {_clean(start, key)[:80]!r}"


def _clean(text: str, key: Key | None) -> str:
    """One short printable line without the key."""
    if key is not None:
        text = key.hide(text)
    text = text[: 4 * _MAX_MESSAGE]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MAX_MESSAGE else f"{text[: _MAX_MESSAGE - 1]}…"
