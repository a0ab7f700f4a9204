"""Questions per second of a local model, against one ``generate`` call for each question.

    python benchmarks/local_speed.py [MODEL FOLDER]

Sixteen scenes, each written and drawn, eight questions about each. The peer is what the model card of any
image-text model shows: chat template, processor, ``model.generate``, one question at a time. Both run on
the same weights in the same process. "Same answers" is the share of questions whose greedy reply, where it
names an option, names the one that scoring chooses; a trained model replies with an option, an untrained
one rarely does.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from modgap.media import Image, Part, Text
from modgap.models import Query, local
from modgap.models.bundled import FOLDER
from modgap.scenes import SceneSettings, draw_scene, sample_scene, write_story

SCENES = 16
QUESTIONS = 8
REPEATS = 3
INSTRUCTION = "Look at the scene and answer the question. Finish with one line: Answer: <option>\n\n"


def make_queries(modality: str) -> list[Query]:
    """Eight questions on the colour of an object and on how many there are, for each scene."""
    queries: list[Query] = []
    for seed in range(SCENES):
        rng = np.random.default_rng(seed)
        scene = sample_scene(rng, SceneSettings(min_objects=3, max_objects=5))
        shown: Part = Text(write_story(scene)) if modality == "text" else Image.from_pil(draw_scene(scene))
        for number in range(QUESTIONS):
            thing = scene.objects[number % len(scene.objects)]
            question, options = [
                (f"What color is the {thing.shape}?", ("red", "blue", "green", "yellow")),
                ("How many objects are there?", ("3", "4", "5")),
                (f"Is there a {thing.color} {thing.shape}?", ("yes", "no")),
                (f"Is there a {thing.size} {thing.shape}?", ("no", "yes")),
            ][number % 4]
            block = f"\n\nQuestion: {question}\nOptions: {', '.join(options)}"
            queries.append(Query((Text(INSTRUCTION), shown, Text(block)), options))
    return queries


class OneByOne:
    """The peer: chat template, processor and ``generate`` for each question."""

    def __init__(self, folder: str) -> None:
        self._processor = AutoProcessor.from_pretrained(folder, backend="pil")
        self._model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()

    def reply(self, query: Query) -> str:
        """The greedy reply to one question."""
        content: list[dict[str, str]] = []
        pictures = []
        for part in query.parts:
            if isinstance(part, Image):
                content.append({"type": "image"})
                pictures.append(part.to_pil())
            elif isinstance(part, Text):
                content.append({"type": "text", "text": part.text})
        prompt = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        inputs = self._processor(text=[prompt], images=[pictures] if pictures else None, return_tensors="pt")
        with torch.inference_mode():
            written = self._model.generate(**inputs, max_new_tokens=8, do_sample=False)
        new = written[0, inputs["input_ids"].shape[1] :]
        text: str = self._processor.decode(new, skip_special_tokens=True)
        return text.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "model", nargs="?", default=str(FOLDER), help="model folder (default: the bundled one)"
    )
    folder = parser.parse_args().model
    model = local.load(folder, dtype="float32", device="cpu")
    peer = OneByOne(folder)
    print(f"{torch.get_num_threads()} threads, {folder}")
    for modality in ("text", "image"):
        queries = make_queries(modality)
        dict(model.reply(queries[:QUESTIONS]))  # the first call also decides whether prompts can be shared
        peer.reply(queries[0])
        seconds: list[float] = []
        peer_seconds: list[float] = []
        # In turns, and the best of each, so that other work on the machine does not favour one side.
        for _ in range(REPEATS):
            began = time.perf_counter()
            replies = dict(model.reply(queries))
            seconds.append(time.perf_counter() - began)
            began = time.perf_counter()
            peer_replies = [peer.reply(query) for query in queries]
            peer_seconds.append(time.perf_counter() - began)
        named = [
            (replies[i].text, reply)
            for i, reply in enumerate(peer_replies)
            if reply in {f"Answer: {option}" for option in queries[i].options}
        ]
        same = sum(mine == theirs for mine, theirs in named)
        rate, peer_rate = len(queries) / min(seconds), len(queries) / min(peer_seconds)
        print(
            f"{modality:5}  modgap {rate:6.0f} questions/s   generate {peer_rate:6.1f} questions/s   "
            f"ratio {rate / peer_rate:5.1f}   same answer {same} of {len(named)} "
            f"(of {len(queries)} questions, {len(named)} greedy replies name an option)"
        )
    for note in model.notes:
        print("note:", note)


if __name__ == "__main__":
    main()
