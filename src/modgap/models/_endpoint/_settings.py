"""What a user may set about an endpoint, checked before the first call."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import urlsplit

from modgap._errors import InputError, UnknownName
from modgap.media import MODALITIES, Modality
from modgap.models._query import JSON, AnswerMode

_OWN_FIELDS = ("model", "messages", "stream", "n")


@dataclass(frozen=True)
class Settings:
    """Settings of one endpoint.

    Args:
        model: name of the model as the server knows it.
        url: base address, such as ``http://localhost:8000/v1``; ``/chat/completions`` is appended.
        key_env: environment variable that holds the key. ``None`` takes ``OPENAI_API_KEY`` when it is set
            and the connection is encrypted or stays on this machine.
        concurrency: most calls under way at once, at least 1.
        timeout: longest time for one call, in seconds.
        retries: how often a failed call is repeated, at least 0.
        backoff: the first wait before a repetition is random between 0 and this, in seconds; it doubles.
        budget: most calls, repetitions included; ``None`` for no limit.
        max_cost: stop once this much is spent, in the currency of the prices; ``None`` for no limit. Calls
            already under way still end, so the first ``concurrency`` calls may go beyond it.
        max_tokens: longest reply, in tokens; ``None`` takes the query's.
        temperature: ``None`` takes the query's.
        max_tokens_field: the name under which the server expects the limit.
        omit: fields of the request to leave out, for servers that refuse them (``temperature``, ``seed`` …).
        extra_body: fields added to every request.
        input_price: price of a million input tokens; ``None`` if unknown.
        output_price: price of a million output tokens; ``None`` if unknown.
        accepts: what the model can be shown.
        frames: a film is sent as that many pictures, evenly spaced; ``None`` sends it as ``video_url``.
        answer: ``options`` scores the options where the server's log-probabilities allow it exactly (see
            ``_scores.py``); ``generate``, and ``auto`` too, take the reply as it is written.
    """

    model: str
    url: str
    key_env: str | None = None
    concurrency: int = 16
    timeout: float = 120.0
    retries: int = 5
    backoff: float = 0.5
    budget: int | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    omit: tuple[str, ...] = ()
    extra_body: Mapping[str, JSON] = field(default_factory=dict)
    input_price: float | None = None
    output_price: float | None = None
    accepts: tuple[Modality, ...] = ("text", "image")
    frames: int | None = None
    answer: AnswerMode = "auto"

    def __post_init__(self) -> None:
        if not self.model:
            raise InputError("endpoint needs the name of a model, for example endpoint:my-model")
        _check_url(self.url)
        _at_least("concurrency", self.concurrency, 1, int)
        _at_least("retries", self.retries, 0, int)
        _at_least("backoff", self.backoff, 0)
        _at_least("budget", self.budget, 0, int)
        _at_least("max_cost", self.max_cost, 0)
        _at_least("max_tokens", self.max_tokens, 1, int)
        _at_least("temperature", self.temperature, 0)
        _at_least("input_price", self.input_price, 0)
        _at_least("output_price", self.output_price, 0)
        _at_least("frames", self.frames, 1, int)
        _at_least("timeout", self.timeout, 0)
        if not self.timeout > 0:
            raise InputError(f"timeout {self.timeout!r} is not a number of seconds above 0")
        if self.max_tokens_field not in ("max_tokens", "max_completion_tokens"):
            raise UnknownName(
                "max_tokens_field", self.max_tokens_field, ("max_tokens", "max_completion_tokens")
            )
        for modality in self.accepts:
            if modality not in MODALITIES:
                raise UnknownName("modality", modality, MODALITIES)
        if self.answer not in get_args(AnswerMode):
            raise UnknownName("answer mode", self.answer, get_args(AnswerMode))
        for name in _OWN_FIELDS:
            if name in self.extra_body:
                raise InputError(f"extra_body must not set {name!r}; modgap writes that field itself")
        try:
            json.dumps(dict(self.extra_body), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"extra_body is not JSON: {error}") from error

    @property
    def address(self) -> str:
        """Where calls are sent."""
        base = self.url.rstrip("/")
        return base if base.endswith("/chat/completions") else f"{base}/chat/completions"

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc


def _check_url(url: str) -> None:
    expected = "expected an address such as http://localhost:8000/v1 or https://api.example.com/v1"
    if not url:
        raise InputError(f"endpoint needs url, the address of the server; {expected}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError(f"url is not an address; {expected}") from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        # The address is stored in the run folder, so nothing secret may be in it; nor is it repeated here.
        raise InputError(f"url must not hold a user, password or query; {expected}, with the key in key_env")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InputError(f"url {url!r} is not an address; {expected}")
    if not url.isascii() or any(character.isspace() or not character.isprintable() for character in url):
        raise InputError(f"url {url!r} holds characters that an address cannot have; {expected}")


def _at_least(name: str, value: object, least: int, kind: type[int] | type[float] = float) -> None:
    if value is None:
        return
    accepted = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted) or not least <= value < math.inf:
        raise InputError(f"{name} {value!r} is not a {'whole ' * (kind is int)}number of at least {least}")


def listed(names: Sequence[str] | str) -> tuple[str, ...]:
    """Names as a command line gives them, ``"text, image"``, or as Python does."""
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    return tuple(names)


def mapping(name: str, value: Mapping[str, JSON] | str | None) -> dict[str, JSON]:
    """A mapping as a command line gives it, JSON, or as Python does.

    Raises:
        InputError: if the text is not a JSON object.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name} is not JSON ({error})") from error
    if not isinstance(value, Mapping | None):
        raise InputError(f"{name} {value!r} is not an object such as " + '{"top_k": 20}')
    return dict(value or {})
