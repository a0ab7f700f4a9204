"""The app without a browser: who is let in, what is sent, and that hostile content stays text."""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modgap._errors import InputError
from modgap._web._guard import MAX_BODY, is_own_host
from modgap._web._serve import check_access, is_loopback
from modgap.tldr.annotate._app import make_app
from modgap.tldr.annotate._serve import serve
from modgap.tldr.annotate._session import Session, Sessions, check_name

ORIGIN = {"Origin": "http://localhost:8712"}
TOKEN = "correct horse battery"


def connect(store, **options) -> TestClient:
    return TestClient(make_app(store, **options), base_url="http://localhost:8712", follow_redirects=False)


def form_token(client: TestClient) -> str:
    return re.search(r'name="form_token" value="(\w+)"', client.get("/").text)[1]


def sign_in(client: TestClient, name: str = "anna", **fields: str):
    data = {"form_token": form_token(client), "name": name} | fields
    return client.post("/sign-in", data=data, headers=ORIGIN)


def page_data(client: TestClient, number: int) -> dict:
    text = client.get(f"/caption/{number}").text
    return json.loads(html.unescape(re.search(r'data-page="([^"]*)"', text)[1]))


def change(client: TestClient, number: int, *, token: str | None = None, headers=None, **fields):
    token = page_data(client, number)["form_token"] if token is None else token
    body = {"act": "edit", "base": 0, "active_ms": 10, "key": "k", "marks": []} | fields
    given = ORIGIN | {"X-Form-Token": token, "Content-Type": "application/json"} | (headers or {})
    return client.post(f"/caption/{number}/change", content=json.dumps(body), headers=given)


@pytest.fixture
def store(make_store):
    return make_store(8)


@pytest.fixture
def client(store):
    made = connect(store)
    assert sign_in(made).status_code == 303
    return made


def test_every_answer_has_the_policy(client):
    for path in (
        "/",
        "/caption/1",
        "/caption/1/image",
        "/static/annotate.js",
        "/nowhere",
        "/static/../_app.py",
    ):
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    refused = client.get("/", headers={"Host": "evil.example"})
    assert refused.headers["content-security-policy"] == policy


def test_pages_hold_no_script_and_no_style(client):
    for path in ("/", "/caption/1"):
        text = client.get(path).text
        assert re.findall(r"<script[^>]*>", text) in ([], ['<script src="/static/annotate.js">'])
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8712", "localhost.evil.example", "10.0.0.1", ""]
)
def test_foreign_host_names_are_refused(client, host):
    answer = client.get("/caption/1", headers={"Host": host})
    assert answer.status_code == 421
    assert "not known by that name" in answer.text


def test_hosts():
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:9", "127.3.2.1", "[::1]:80", "[::1]"):
        assert is_own_host(host, {"localhost"}, False), host
    for host in (
        "192.168.0.2:80",
        "[fe80::1]",
        "example.org",
        "localhost:x",
        "127.0.0.1.nip.io",
        "a@localhost",
    ):
        assert not is_own_host(host, {"localhost"}, False), host
    assert is_own_host("192.168.0.2:80", {"localhost"}, True)
    assert is_own_host("Example.org:443", {"example.org"}, False)
    assert not is_own_host("rebound.example", {"localhost"}, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:3000"},  # another server on this machine shares our cookies
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_changes_from_other_pages_are_refused(client, store, headers):
    answer = change(client, 1, headers=headers, marks=[{"first": 0, "last": 0, "type": "other"}])
    assert answer.status_code == 403
    assert store.work("anna", 0).head == 0


def test_changes_need_the_token_of_the_form_and_the_cookie(client, store):
    for wrong in ("", "0" * 64, "ä"):
        assert change(client, 1, token=wrong.encode()).status_code == 403
    good = page_data(client, 1)["form_token"]
    stranger = connect(store)
    assert change(stranger, 1, token=good).status_code == 403
    assert change(client, 1, headers={"Content-Type": "text/plain"}).status_code == 415
    assert change(client, 1).status_code == 200


def test_cookies(client):
    answer = client.get("/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    sessions = Sessions(b"secret", None)
    made = sessions.write(Session("v", "anna"))
    assert sessions.read(made) == Session("v", "anna")
    for forged in (
        "",
        "..",
        "v.YmVu." + made.rpartition(".")[2],
        made + "x",
        "v.YW5uYQ==.",
        "ü.ü.ü",
        "a" * 9999,
    ):
        assert sessions.read(forged).name == ""
    assert Sessions(b"other", None).read(made).name == ""
    assert Sessions(b"secret", "token").read(made).name == ""  # a new token signs everybody out


def test_names():
    assert check_name("  Anna \t B ") == "Anna B"
    for wrong in ("", "   ", "x" * 41, "a\x00b", "a\u202eb"):
        with pytest.raises(InputError, match="A name has 1 to 40 printable characters"):
            check_name(wrong)


def test_signing_in_needs_the_access_token(store):
    client = connect(store, token=TOKEN)
    assert 'name="token"' in client.get("/").text
    for wrong in ("", "wrong", TOKEN + " "):
        answer = sign_in(client, token=wrong)
        assert (answer.status_code, store.annotators()) == (403, [])
        assert "That is not the access token." in answer.text
    assert client.get("/caption/1").status_code == 303
    assert client.get("/caption/1/image").status_code == 404
    assert sign_in(client, token=TOKEN).status_code == 303
    assert client.get("/caption/1").status_code == 200
    assert store.annotators() == ["anna"]


def test_signing_in_with_an_old_page_or_a_bad_name(store):
    client = connect(store)
    answer = client.post("/sign-in", data={"name": "anna"}, headers=ORIGIN)
    assert (answer.status_code, "too old" in answer.text) == (403, True)
    assert sign_in(client, "x" * 41).status_code == 422
    assert client.post("/sign-in", content=b"\xff", headers=ORIGIN).status_code == 403


def test_signing_out(client):
    client.post("/sign-out", headers=ORIGIN)  # without the token of the form nothing happens
    assert client.get("/caption/1").status_code == 200
    client.post("/sign-out", data={"form_token": form_token(client)}, headers=ORIGIN)
    assert client.get("/caption/1").status_code == 303


def test_a_caption_is_annotated(client, store):
    data = page_data(client, 1)
    assert (data["base"], data["marks"], data["next"]) == (0, [], 2)
    marks = [{"first": 0, "last": 1, "type": "counting", "truth": "Two grey"}]
    assert change(client, 1, marks=marks).json() == {"base": 1}
    assert change(client, 1, marks=marks).json() == {"base": 1}  # sent again
    assert [(m.start, m.end, m.truth) for m in store.work("anna", 0).marks] == [(0, 11, "Two grey")]
    assert change(client, 1, base=0, key="l").status_code == 409
    assert change(client, 1, act="undo", base=1, key="m").json() == {"base": 0}
    again = page_data(client, 1)
    assert (again["marks"], again["past"], again["future"]) == ([], [], [marks])
    assert change(client, 1, act="redo", base=0, key="n").json() == {"base": 1}
    assert change(client, 1, act="time", base=1, active_ms=4000.4).json() == {"base": 1}
    assert change(client, 1, act="done", base=1, key="o", active_ms=5000).json() == {"base": 1}
    work = store.work("anna", 0)
    assert (work.done, work.first_ms) == (True, 5000)
    assert "1 of 8 captions are done" in client.get("/").text
    assert page_data(client, 8)["next"] == 2  # around the end, to the first that is not done


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "drop"},
        {"active_ms": -1},
        {"active_ms": 1e300},
        {"active_ms": "1"},
        {"base": -1},
        {"base": 2**60},
        {"base": True},
        {"key": ""},
        {"key": "x" * 65},
        {"marks": [{"first": 0, "last": 99, "type": "other"}]},
        {"marks": [{"first": 2, "last": 1, "type": "other"}]},
        {"marks": [{"first": 0, "last": 2, "type": "other"}, {"first": 1, "last": 3, "type": "other"}]},
        {"marks": [{"first": 0, "last": 0, "type": "<script>"}]},
        {"marks": [{"first": 0, "last": 0, "type": "other", "truth": "x" * 201}]},
        {"marks": "all"},
    ],
)
def test_changes_that_cannot_be_are_refused(client, store, fields):
    assert change(client, 1, **fields).status_code == 422
    assert store.work("anna", 0).head == 0


def test_bodies_that_are_no_json_or_too_long(client):
    token = page_data(client, 1)["form_token"]
    given = ORIGIN | {"X-Form-Token": token, "Content-Type": "application/json"}
    for body in (b"", b"{", b"[" * 100_000, b"\xff"):
        assert client.post("/caption/1/change", content=body, headers=given).status_code == 422
    for path in ("/caption/1/change", "/sign-in"):
        assert client.post(path, content=b"x" * (MAX_BODY + 1), headers=given).status_code == 413


def test_captions_that_are_not_there(client):
    for number in ("0", "9", "99999999999999999999999"):
        assert client.get(f"/caption/{number}").status_code == 303
        assert client.get(f"/caption/{number}/image").status_code == 404
    for path in (
        "/caption/-1",
        "/caption/a",
        "/static/..%2f_app.py",
        "/static/caption.html",
        "/images/0.png",
    ):
        assert client.get(path).status_code == 404
    answer = client.post(
        "/caption/99999999999999999999999/change",
        content=b'{"act": "time", "base": 0, "active_ms": 1}',
        headers=ORIGIN
        | {"X-Form-Token": page_data(client, 1)["form_token"], "Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_known_errors_and_the_flags_of_the_other_arm_are_not_sent(client, store):
    for work in store.all_work("anna"):
        item = store.items[work.item_id]
        text = client.get(f"/caption/{work.position + 1}").text
        data = page_data(client, work.position + 1)
        shown = work.with_flags and bool(item.flags)
        assert bool(data["flags"]) == shown
        assert ('class="word flag flag-ends"' in text) == shown
        assert "known" not in text and ".png" not in text
        if not work.with_flags:
            assert "No flags are shown for this caption" in text


def test_hostile_captions_are_text(make_store, line):
    evil = "</div><script>alert(1)</script> <img src=x onerror=alert(2)> {{'e'*7}} \" ' & \u202e"
    spans = [{"start": 0, "end": len(evil), "type": '"><script>alert(3)</script>'}]
    store = make_store([line(0, id="<b>", caption=evil, spans=spans, known=[])], arms="with")
    client = connect(store)
    sign_in(client, "<i>eve</i>")
    for path in ("/", "/caption/1"):
        text = client.get(path).text
        assert "<i>" not in text and "<b>" not in text.replace("<b>modgap</b>", "")
        assert "<script>alert" not in text and "<img src=x" not in text and "eeeeeee" not in text
    assert page_data(client, 1)["flags"][0]["type"] == '"><script>alert(3)</script>'


def test_pictures_are_encoded_again(client, store):
    answer = client.get("/caption/1/image")
    assert answer.headers["content-type"] == "image/png"
    path: Path = store.items[store.work("anna", 0).item_id].image
    assert answer.content != path.read_bytes()
    path.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    for work in store.all_work("anna"):
        if store.items[work.item_id].image == path and work.position:
            fresh = connect(store)  # another server has not seen the old one
            sign_in(fresh)
            assert fresh.get(f"/caption/{work.position + 1}/image").status_code == 404
            break
    else:
        pytest.fail("no other caption has this picture")


def test_annotators_do_not_see_each_other(client, store):
    change(client, 1, marks=[{"first": 0, "last": 0, "type": "other"}])
    other = connect(store)
    sign_in(other, "ben")
    assert all(page_data(other, number)["marks"] == [] for number in range(1, 9))
    assert "anna" not in other.get("/").text


def test_websockets_are_not_answered(store):
    sent = []

    async def ask():
        await make_app(store)({"type": "websocket", "headers": []}, None, sent.append)

    asyncio.run(ask())
    assert sent == []


def test_open_servers_need_a_token(store):
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(InputError, match="can be reached from other machines; give a --token"):
            check_access(host, None)
        check_access(host, TOKEN)
    with pytest.raises(InputError, match=r"host 'a\.example' can be reached .*, or leave --allow-host out"):
        check_access("127.0.0.1", None, ["localhost", "a.example"])
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert is_loopback(host)
        check_access(host, None)
    with pytest.raises(InputError, match="the token has 5 characters; give 12 or more"):
        check_access("127.0.0.1", "short")


def test_an_open_server_is_called_by_the_name_of_its_machine(store, monkeypatch):
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    said = []
    serve(store, host="0.0.0.0", port=0, token=TOKEN, ready=said.append)
    assert said[0].startswith(f"http://{socket.gethostname()}:")


def test_a_port_that_is_taken(store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            InputError, match=f"port {port} of 127.0.0.1 cannot be had .*; give another --port"
        ):
            serve(store, port=port)
    with pytest.raises(InputError, match=r"port 70000 of 127\.0\.0\.1 cannot be had"):
        serve(store, port=70000)
