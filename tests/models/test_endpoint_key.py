"""The key goes into one header of calls to one host, and nowhere else."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import httpx2
import pytest

from modgap._errors import InputError, ModelError
from modgap.models.endpoint import Endpoint, load

from .mock_endpoint import Server, ask, completion, endpoint, questions, refusal_of_calls

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OTHER_KEY", "another-secret-987")
    monkeypatch.delenv("UNSET_KEY", raising=False)


def header(**options: Any) -> str | None:
    server = Server(completion())
    ask(server, **options)
    return server.requests[0].headers.get("Authorization")


def test_the_default_variable_over_an_encrypted_connection_or_on_this_machine() -> None:
    assert header() == f"Bearer {KEY}"
    assert header(url="http://localhost:8000/v1") == f"Bearer {KEY}"
    assert header(url="http://127.0.0.1:8000/v1") == f"Bearer {KEY}"
    assert header(url="http://[::1]:8000/v1") == f"Bearer {KEY}"


def test_plain_http_to_another_machine_gets_a_key_only_when_it_is_named() -> None:
    assert header(url="http://10.0.0.7:8000/v1") is None
    assert header(url="http://localhost.example.com/v1") is None
    assert header(url="http://10.0.0.7:8000/v1", key_env="OTHER_KEY") == "Bearer another-secret-987"
    with pytest.raises(
        ModelError, match="no key was sent over plain http to another machine; to send it, name OPEN"
    ):
        ask(Server(refusal_of_calls(401)), url="http://10.0.0.7:8000/v1")


def test_no_key_is_fine_until_the_server_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert header() is None


def test_a_named_variable_must_be_set() -> None:
    with pytest.raises(ModelError) as raised:
        load("m", url="https://api.example.com/v1", key_env="UNSET_KEY")
    assert str(raised.value) == (
        "environment variable UNSET_KEY is not set; set it to the key of api.example.com"
    )


@pytest.mark.parametrize("value", ["sk-1\r\nX-Injected: 1", "two words-secret", "schlüssel-secret"])
def test_what_is_no_key_is_refused_without_showing_it(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", value)
    with pytest.raises(ModelError) as raised:
        load("m", url="https://api.example.com/v1", key_env="OTHER_KEY")
    assert str(raised.value) == (
        "environment variable OTHER_KEY does not hold a key; expected one line of ASCII, no spaces"
    )


def test_white_space_around_a_key_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "another-secret-987\n")
    assert header(key_env="OTHER_KEY") == "Bearer another-secret-987"


def test_a_key_in_a_stored_setting_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        load("m", url="https://api.example.com/v1", extra_body={"auth": KEY})
    assert "is also in model, url or extra_body, which are stored; remove it there" in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    elsewhere = {"Location": f"https://evil.example.net/{KEY}?k={KEY}"}
    server = Server(httpx2.Response(status, headers=elsewhere))
    with pytest.raises(ModelError) as raised:
        ask(server, questions(5))
    assert str(raised.value) == (
        f"api.example.com: HTTP {status}: the server redirects to https://evil.example.net, "
        "which is not followed because the key would go there too; give the final address as url"
    )
    assert [request.url.host for request in server.requests] == ["api.example.com"]


def test_no_message_record_log_or_repr_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[Any] = []

    def echo(request: httpx2.Request) -> httpx2.Response:
        return completion(f"you sent {request.headers['Authorization']}")

    echoes: list[Any] = [
        echo,
        refusal_of_calls(400, f"bad {KEY}"),
        httpx2.Response(500, text=f"<html>{KEY}"),
        httpx2.Response(200, text=f"{{{KEY}"),
        httpx2.Response(200, json={"error": f"x {KEY}"}),
        httpx2.Response(400, json={"error": {"message": "x" * 1190 + KEY}}),
        httpx2.ReadError(f"while sending {KEY}"),
        completion(None, refusal=f"no, {KEY}"),
    ]
    for response in echoes:
        server = Server(response)
        with endpoint(server, retries=1) as model:
            shown += [reply for _, reply in model.reply(questions(1))]
            shown += [model, vars(model), model.settings, json.dumps(model.fingerprint())]
        assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    with pytest.raises(ModelError) as raised:
        ask(Server(refusal_of_calls(401, f"Incorrect API key: {KEY}")))
    shown.append(raised.value)
    everything = "\n".join(map(repr, shown)) + caplog.text
    assert "you sent Bearer ***" in everything
    assert "Incorrect API key: ***" in everything
    assert KEY not in everything
    assert KEY[:12] not in everything


def test_a_traceback_with_local_variables_does_not_show_the_key() -> None:
    with pytest.raises(ModelError) as raised:
        ask(Server(refusal_of_calls(401)))
    frames = list(traceback.walk_tb(raised.value.__traceback__))
    ours = [
        frame for frame, _ in frames if "_call" in frame.f_code.co_names or "_key" in frame.f_code.co_names
    ]
    assert ours
    assert KEY not in repr([frame.f_locals for frame in ours])
    assert KEY not in repr([vars(frame.f_locals["self"]) for frame in ours])


def test_the_fingerprint_does_not_depend_on_key_or_speed() -> None:
    def fingerprint(**options: Any) -> Any:
        model: Endpoint = load("m", url="https://api.example.com/v1", **options)
        return model.fingerprint()

    assert fingerprint() == fingerprint(key_env="OTHER_KEY", concurrency=3, timeout=5.0, retries=1, budget=7)
    for change in (
        {"max_tokens": 5},
        {"temperature": 0.5},
        {"extra_body": {"a": 1}},
        {"omit": ("temperature",)},
        {"max_tokens_field": "max_completion_tokens"},
    ):
        assert fingerprint(**change) != fingerprint()
