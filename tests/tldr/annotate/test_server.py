"""The server as a process: it loses nothing when it is killed, and says in one line why it does not start."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from modgap.tldr.annotate import Store, read_items


def sign_in(server, name: str = "anna") -> httpx2.Client:
    client = httpx2.Client(base_url=server.address, headers={"Origin": server.address.rstrip("/")})
    token = re.search(r'name="form_token" value="(\w+)"', client.get("/").text)[1]
    assert client.post("/sign-in", data={"form_token": token, "name": name}).status_code == 303
    page = client.get("/caption/1").text
    client.headers["X-Form-Token"] = re.search(r"form_token&#34;:&#34;(\w+)&#34;", page)[1]
    return client


def test_nothing_is_lost_when_the_server_is_killed(make_folder, serve):
    """Marks are made as fast as they are taken, and the server is killed in the middle, twice.

    After each restart all that was said to be saved must be there; the change on its way may be, once, and is
    sent again as the page does. The browser stays signed in.
    """
    server = serve(make_folder(2))
    client = sign_in(server)
    base, number, killed = 0, 0, 0
    killer = threading.Timer(0.15, server.process.kill)
    killer.start()
    began = time.monotonic()
    while killed < 2 or number < 20:
        assert time.monotonic() - began < 60
        marks = [{"first": number % 12, "last": number % 12, "type": "other", "truth": str(number)}]
        change = {"act": "edit", "base": base, "key": f"k{number}", "active_ms": number, "marks": marks}
        try:
            answer = client.post("/caption/1/change", json=change)
        except httpx2.TransportError:
            server.kill()
            killed += 1
            store = Store(server.folder, read_items(server.folder))
            work = store.work("anna", 0)
            store.close()
            assert work.head in (base, base + 1)
            assert number == 0 or work.marks[0].truth in (str(number - 1), str(number))
            server.start()
            if killed < 2:
                killer = threading.Timer(0.05, server.process.kill)
                killer.start()
            continue
        assert answer.status_code == 200
        assert answer.json()["base"] == base + 1
        base, number = base + 1, number + 1
    client.close()
    store = Store(server.folder, read_items(server.folder))
    past, _ = store.history(store.work("anna", 0))
    store.close()
    assert [marks[0].truth for marks in past[1:]] == [str(n) for n in range(number - 1)][-len(past[1:]) :]


def test_two_annotators_at_once(make_folder, serve):
    server = serve(make_folder(4))
    clients = [sign_in(server, name) for name in ("anna", "ben")]
    failures = []

    def work(client, word):
        for number in range(10):
            marks = [{"first": word, "last": word, "type": "other", "truth": str(number)}]
            change = {"act": "edit", "base": number, "key": str(number), "active_ms": 1, "marks": marks}
            if client.post("/caption/1/change", json=change).json() != {"base": number + 1}:
                failures.append(number)

    threads = [threading.Thread(target=work, args=(client, n)) for n, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    store = Store(server.folder, read_items(server.folder))  # while the server runs
    assert [store.work(name, 0).marks[0].start for name in ("anna", "ben")] == [0, 6]
    store.close()
    for client in clients:
        client.close()


def test_ctrl_c_ends_it(make_folder, serve):
    server = serve(make_folder(1))
    server.process.send_signal(signal.SIGINT)
    said, _ = server.process.communicate(timeout=20)
    assert "Traceback" not in said


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    modgap = str(Path(sys.executable).with_name("modgap"))
    return subprocess.run(
        [modgap, "tldr", "annotate", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "modgap: host '0.0.0.0' can be reached from other machines; give a --token"),
        (["--seed", "-1"], "modgap: --seed -1 is not accepted; give 0 or more"),
    ],
)
def test_mistakes_are_one_line(make_folder, arguments, message):
    done = run(str(make_folder(1)), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(message) and len(done.stderr.splitlines()) == 1


def test_without_the_extra_the_install_line_is_printed(make_folder):
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from modgap.cli import main\n"
        f"sys.argv = ['modgap', 'tldr', 'annotate', {json.dumps(str(make_folder(1)))}]\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == (
        "modgap: the annotation server needs an optional dependency; "
        "install it with: pip install 'modgap[ui]'\n"
    )
