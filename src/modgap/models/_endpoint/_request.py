"""A query as the body of a chat completions request.

Pictures, sounds and films go as the bytes they are, in base64. A film may go as pictures instead, for servers
that take no ``video_url``; they are PNG, and the same whatever the server.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from modgap.media import Audio, Image, Part, Text, Video
from modgap.media._av import frames
from modgap.models._query import Query

from ._scores import TOP, wants_scores
from ._settings import Settings

# The names the field uses; any other sound is sent under its own subtype.
_AUDIO_FORMATS = {"audio/wav": "wav", "audio/mpeg": "mp3"}


def request_body(query: Query, settings: Settings) -> bytes:
    """Encode one query.

    Args:
        query: its parts become one user message, in order, neighbouring texts joined.
        settings: of the endpoint.

    Returns:
        JSON.

    Raises:
        ValueError: if a text is not valid Unicode.
        FileError: if a film is to be sent as pictures and cannot be decoded.
        MissingExtra: if that needs PyAV and it is not installed.
    """
    content: list[dict[str, Any]] = []
    for part in _shown(query.parts, settings):
        if isinstance(part, Text) and content and content[-1]["type"] == "text":
            content[-1]["text"] += part.text
        else:
            content.append(_content(part))
    sampling = query.sampling
    temperature = sampling.temperature if settings.temperature is None else settings.temperature
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": [{"role": "user", "content": content}],
        settings.max_tokens_field: settings.max_tokens or sampling.max_tokens,
        "temperature": temperature,
    }
    # Some servers refuse fields they do not know, so those that change nothing are not sent.
    if sampling.top_p < 1:
        body["top_p"] = sampling.top_p
    if temperature > 0:
        body["seed"] = sampling.seed
    if wants_scores(query, settings):
        body |= {"logprobs": True, "top_logprobs": TOP}
    body |= settings.extra_body
    for name in settings.omit:
        body.pop(name, None)
    return msgspec.json.encode(body)


def _shown(parts: Iterable[Part], settings: Settings) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Video) and settings.frames is not None:
            yield from frames(part, settings.frames)
        else:
            yield part


def _content(part: Part) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Image():
            return {"type": "image_url", "image_url": {"url": _data_url(part)}}
        case Video():
            return {"type": "video_url", "video_url": {"url": _data_url(part)}}
        case Audio():
            form = _AUDIO_FORMATS.get(part.mime, part.mime.removeprefix("audio/"))
            data = base64.b64encode(part.data).decode("ascii")
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}}


def _data_url(part: Image | Video) -> str:
    return f"data:{part.mime};base64,{base64.b64encode(part.data).decode('ascii')}"
