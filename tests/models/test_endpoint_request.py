"""What is sent: the form is that of the OpenAI chat completions reference (user message, content parts)."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from modgap._errors import InputError
from modgap.media import Audio, Image, Part, Text, Video
from modgap.models import Query, Sampling, load_model
from modgap.models._endpoint import Settings

from .mock_endpoint import URL, Server, ask, completion


def sent(*parts: Part, sampling: Sampling | None = None, **options: Any) -> dict[str, Any]:
    server = Server(completion())
    (reply,) = ask(server, [Query(parts, sampling=sampling or Sampling())], **options)
    assert reply.text == "Answer: left"
    return server.bodies[0]


def test_parts_become_one_user_message_in_order_with_neighbouring_texts_joined() -> None:
    picture = Image.from_pil(PIL.Image.fromarray(np.zeros((4, 4, 3), np.uint8)))
    body = sent(Text("Look. "), Text("Now."), picture, Text("Where?"), Text(" Say."))
    (message,) = body["messages"]
    assert message["role"] == "user"
    assert [part["type"] for part in message["content"]] == ["text", "image_url", "text"]
    assert message["content"][0]["text"] == "Look. Now."
    assert message["content"][2]["text"] == "Where? Say."
    head, _, data = message["content"][1]["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == picture.data


def test_an_image_keeps_its_own_type() -> None:
    body = sent(Image(b"\xff\xd8", "image/jpeg"))
    assert body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(
    ("mime", "form"), [("audio/wav", "wav"), ("audio/mpeg", "mp3"), ("audio/flac", "flac")]
)
def test_audio_is_input_audio(mime: str, form: str) -> None:
    body = sent(Audio(b"sound", mime), accepts=("text", "audio"))
    expected = {"data": base64.b64encode(b"sound").decode(), "format": form}
    assert body["messages"][0]["content"] == [{"type": "input_audio", "input_audio": expected}]


def test_what_is_not_declared_is_refused_without_a_call() -> None:
    server = Server(completion())
    film, plain = Query((Video(b"film", "video/mp4"),)), Query((Text("hello"),))
    replies = ask(server, [film, plain])
    assert replies[0].error == (
        "m is not declared to take video; if it does, set the option accepts=text,image,video"
    )
    assert replies[1].text == "Answer: left"
    assert len(server.requests) == 1


def test_a_film_is_sent_when_declared() -> None:
    body = sent(Video(b"film", "video/mp4"), accepts=("text", "video"))
    assert body["messages"][0]["content"][0]["video_url"]["url"].startswith("data:video/mp4;base64,")


def make_film(shades: tuple[int, ...]) -> Video:
    """A film of grey pictures, losslessly."""
    av = pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4, options={"qp": "0"})
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv444p"
        for shade in shades:
            picture = np.full((16, 16, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return Video(buffer.getvalue(), "video/mp4")


def test_a_film_is_sent_as_pictures_when_asked_for() -> None:
    film = make_film((0, 60, 120, 180, 240))
    body = sent(Text("Look."), film, Text("Now?"), accepts=("text", "video"), frames=3)
    content = body["messages"][0]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "image_url", "image_url", "text"]
    shades = []
    for part in content[1:4]:
        head, _, data = part["image_url"]["url"].partition(",")
        assert head == "data:image/png;base64"
        shades.append(Image.from_bytes(base64.b64decode(data)).to_pil().getpixel((8, 8))[0])  # type: ignore[index]
    assert shades == pytest.approx([0, 120, 240], abs=3)


def test_a_film_that_cannot_be_decoded_is_an_error_of_that_query_only() -> None:
    pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    server = Server(completion())
    queries = [Query((Video(b"no film", "video/mp4"),)), Query((Text("hello"),))]
    replies = ask(server, queries, accepts=("text", "video"), frames=3)
    assert replies[0].error == "film: the file cannot be decoded; expected MP4 or WebM"
    assert replies[1].text == "Answer: left"


def test_greedy_sampling_sends_only_what_changes_something() -> None:
    body = sent(Text("a"))
    assert {name: body[name] for name in body if name != "messages"} == {
        "model": "m",
        "max_tokens": 512,
        "temperature": 0.0,
    }


def test_sampling_is_sent() -> None:
    body = sent(Text("a"), sampling=Sampling(temperature=0.7, top_p=0.9, max_tokens=20, seed=5))
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["seed"]) == (0.7, 0.9, 20, 5)


def test_options_win_over_the_query() -> None:
    body = sent(
        Text("a"),
        sampling=Sampling(temperature=0.7, seed=5),
        max_tokens=4000,
        temperature=0.0,
        max_tokens_field="max_completion_tokens",
        omit=("temperature",),
        extra_body={"reasoning_effort": "low"},
    )
    assert body["max_completion_tokens"] == 4000
    assert body["reasoning_effort"] == "low"
    assert not {"max_tokens", "temperature", "seed"} & set(body)


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/chat/completions"])
def test_the_address_ends_in_chat_completions(url: str) -> None:
    server = Server(completion())
    ask(server, url=url)
    assert str(server.requests[0].url) == f"{URL}/chat/completions"


def test_text_that_is_not_unicode_is_an_error_of_that_query_only() -> None:
    server = Server(completion())
    replies = ask(server, [Query((Text("half \ud83d"),)), Query((Text("whole"),))])
    assert replies[0].error is not None
    assert replies[0].error.startswith("the prompt is not valid Unicode (surrogates not allowed)")
    assert replies[1].text == "Answer: left"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"url": ""},
            "endpoint needs url, the address of the server; expected an address such as http://local",
        ),
        ({"url": "api.example.com"}, "url 'api.example.com' is not an address; expected"),
        ({"url": "ftp://example.com"}, "url 'ftp://example.com' is not an address; expected"),
        ({"url": "http://host:99999/v1"}, "url is not an address; expected"),
        ({"url": "https://u:pass@host/v1"}, "url must not hold a user, password or query"),
        ({"url": "https://host/v1?key=abc"}, "url must not hold a user, password or query"),
        ({"url": "http://host/a b"}, "url 'http://host/a b' holds characters that an address cannot have"),
        ({"model": ""}, "endpoint needs the name of a model"),
        ({"concurrency": 0}, "concurrency 0 is not a whole number of at least 1"),
        ({"concurrency": "many"}, "concurrency 'many' is not a whole number of at least 1"),
        ({"concurrency": 2.5}, "concurrency 2.5 is not a whole number of at least 1"),
        ({"timeout": 0.0}, "timeout 0.0 is not a number of seconds above 0"),
        ({"timeout": float("nan")}, "timeout nan is not a number of at least 0"),
        ({"retries": -1}, "retries -1 is not a whole number of at least 0"),
        ({"retries": True}, "retries True is not a whole number of at least 0"),
        ({"max_tokens": 0}, "max_tokens 0 is not a whole number of at least 1"),
        ({"frames": 0}, "frames 0 is not a whole number of at least 1"),
        ({"answer": "option"}, "answer mode 'option' is not one of auto, options, generate; did you mean"),
        ({"max_cost": float("inf")}, "max_cost inf is not a number of at least 0"),
        (
            {"accepts": ("vidoe",)},
            "modality 'vidoe' is not one of text, image, audio, video; did you mean 'video'",
        ),
        (
            {"max_tokens_field": "limit"},
            "max_tokens_field 'limit' is not one of max_tokens, max_completion_tokens",
        ),
        (
            {"extra_body": {"messages": []}},
            "extra_body must not set 'messages'; modgap writes that field itself",
        ),
        ({"extra_body": {"bias": float("nan")}}, "extra_body is not JSON"),
    ],
)
def test_settings_are_checked_before_anything_is_sent(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        Settings(**{"model": "m", "url": URL, **options})
    assert message in str(raised.value)
    assert "pass@" not in str(raised.value)


def test_it_is_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = load_model("endpoint:org/model-7b", url="http://localhost:8000/v1", max_tokens=9)
    assert model.name == "org/model-7b"
    assert model.modalities == {"text", "image"}
    assert model.fingerprint() == {
        "adapter": "endpoint",
        "model": "org/model-7b",
        "url": "http://localhost:8000/v1/chat/completions",
        "max_tokens": 9,
        "temperature": None,
        "max_tokens_field": "max_tokens",
        "omit": [],
        "extra_body": {},
        "frames": None,
        "answer": "generate",
    }
    model.close()
    with pytest.raises(InputError, match="endpoint needs url"):
        load_model("endpoint:org/model-7b")


def test_options_may_be_text_as_a_command_line_gives_them() -> None:
    model = load_model(
        "endpoint:m",
        url=URL,
        accepts="text, audio",
        omit="temperature,seed",
        extra_body='{"top_k": 20}',
    )
    assert model.modalities == {"text", "audio"}
    assert model.fingerprint()["omit"] == ["temperature", "seed"]
    assert model.fingerprint()["extra_body"] == {"top_k": 20}
    with pytest.raises(InputError, match=r"extra_body is not JSON \(Expecting"):
        load_model("endpoint:m", url=URL, extra_body="{top_k: 20}")
    with pytest.raises(InputError, match=r"extra_body \[20\] is not an object such as"):
        load_model("endpoint:m", url=URL, extra_body="[20]")
