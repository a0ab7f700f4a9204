"""A language model behind an address, played by a function; and folders as the published sets have them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import PIL.Image
import pytest

from modgap.media import Image
from modgap.tldr.real._prompts import EDITS

CAPTION = 'A red dog and a blue cat sit left of two tiny birds under a sign that says "OPEN".'
GOOD = {
    "spatial": ("sit ", "left of", "right of"),
    "attribute": ("A ", "red", "green"),
    "binding": ("A ", "red dog and a blue", "blue dog and a red"),
    "object": ("red ", "dog", "horse"),
    "counting": ("of ", "two", "three"),
    "small": ("tiny ", "birds", "mice"),
    "text": ("says ", '"OPEN"', '"SHUT"'),
    "counterfactual": ("cat ", "sit", "do not sit"),
}


def good(prompt: str) -> str:
    """What a careful model replies to ``CAPTION`` and to questions."""
    if "Make one small change" in prompt:
        type_ = next(name for name, (what, _, _) in EDITS.items() if f"Change only {what}." in prompt)
        return json.dumps(dict(zip(("before", "old", "new"), GOOD[type_], strict=True)))
    if prompt.startswith("Two descriptions"):
        return '{"false": true, "type": true, "natural": true}'
    if "Give a wrong one" in prompt:
        right = json.loads(re.findall(r"Right answer: (.*)", prompt)[0])
        return json.dumps({"answer": {"Red.": "Blue.", "Two.": "Three."}.get(right, "A train.")})
    if prompt.startswith("What is known"):
        return '```json\n{"false": true}\n```'
    return json.dumps({"caption": CAPTION})


class Server(ThreadingHTTPServer):
    """Answers by ``reply``."""

    def __init__(self, reply: Callable[[str], str]) -> None:
        self.reply = reply
        self.prompts: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        content = body["messages"][0]["content"]
        prompt = content if isinstance(content, str) else "".join(part["text"] for part in content)
        self.server.prompts.append(prompt)
        text = self.server.reply(prompt)
        message = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
        data = json.dumps(message | {"usage": {"prompt_tokens": 100, "completion_tokens": 10}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(good)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def picture(number: int) -> bytes:
    return Image.from_pil(PIL.Image.new("RGB", (16, 16), (number * 40 % 256, 90, 10))).data


@pytest.fixture
def docci(tmp_path: Path) -> Path:
    """Three pictures of DOCCI; the file of a fourth is missing."""
    folder = tmp_path / "docci"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, split in enumerate(("train", "qual_dev", "test", "train")):
        name = f"{split}_{number:05d}"
        rows.append({"example_id": name, "split": split, "image_file": f"{name}.png", "description": CAPTION})
        if number < 3:
            (folder / "images" / f"{name}.png").write_bytes(picture(number))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "docci_descriptions.jsonlines").write_text(lines)
    return folder


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    """Two pictures of Visual Genome with questions."""
    folder = tmp_path / "vg"
    rows = []
    for number, part in ((1, "VG_100K"), (2, "VG_100K_2")):
        (folder / part).mkdir(parents=True)
        (folder / part / f"{number}.jpg").write_bytes(picture(number))
        pairs = (("What color is the dog?", "Red."), ("How many birds are there?", "Two."), ("Why?", " "))
        qas = [
            {
                "question": question,
                "answer": answer,
                "image_id": number,
                "qa_id": 10 * number + i,
                "a_objects": [],
            }
            for i, (question, answer) in enumerate(pairs)
        ]
        rows.append({"id": number, "qas": qas})
    (folder / "question_answers.json").write_text(json.dumps(rows))
    return folder
