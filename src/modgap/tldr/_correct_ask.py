"""Self-correction by instruction, as published: a model that follows instructions revises its own caption.

    done = ask(detector, model, examples, targets, told=told)

The text of the instruction is ours; its parts and their order follow appendix C of the TLDR paper: the task,
where to look, rules for small edits, what was asked, the caption, the marked words, their sentences. The
bundled model cannot follow it. The caption and the marked words are quoted as data; a caption that contains
instructions is still only a caption.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher

from modgap._errors import ModelError
from modgap.media import Part, Text
from modgap.models import Model, Query, Sampling

from ._correct import Correction, expect
from ._detect import score_each
from ._example import MAX_RESPONSE, Example
from ._measures_report import items_of
from ._scores import Detector
from ._sentences import sentences
from .annotate._words import words as split

MOST_TOKENS = 1024


def instruction(example: Example, targets: Sequence[tuple[int, int]]) -> str:
    """What the model is told beside the picture.

    Args:
        example: the caption and what it answered.
        targets: start and end of the marked words; none for the arm that says only that it is wrong.
    """
    text = example.response
    lines = [
        "Your description of this picture has mistakes. Revise it so that it fits the picture.",
        "Change as little as you can. Copy every sentence that needs no change.",
    ]
    if targets:
        lines += [
            "Look again at what the marked words are about. Change only marked words, or delete them if what "
            "they say is not there; rewrite their sentence only if that is not enough.",
            "The marks are hints and may be mistaken: keep a marked word that is right.",
        ]
    lines += ["", f"Asked: {json.dumps(example.prompt)}", f"Description: {json.dumps(text)}"]
    if targets:
        marked = dict.fromkeys(text[a:b] for a, b in targets)
        lines.append(f"Marked: {json.dumps(list(marked))}")
        for start, end in sentences(text):
            inside = [text[a:b] for a, b in targets if a < end and b > start]
            if inside:
                lines.append(f"In {json.dumps(text[start:end].strip())}: {json.dumps(inside)}")
    lines += ["", "Reply with the revised description and nothing else."]
    return "\n".join(lines)


def ask(
    detector: Detector,
    model: Model,
    examples: Sequence[Example],
    targets: Sequence[Sequence[tuple[int, int]]],
    *,
    told: Sequence[bool],
    accept: bool = True,
) -> list[Correction]:
    """Have captions revised.

    Args:
        detector: that judges what is written.
        model: that revises; it is shown the picture.
        examples: captions with pictures.
        targets: marked words of each.
        told: whether the caption is sent at all.
        accept: whether a revision is kept only if the detector expects fewer wrong words; else every one that
            it can score is. A reply that it cannot score changes nothing.

    Raises:
        ModelError: if the model failed on a caption.
    """
    sent = [i for i, wanted in enumerate(told) if wanted]
    queries = []
    for i in sent:
        image = examples[i].image
        shown: list[Part] = [] if image is None else [image]
        said = Text(instruction(examples[i], targets[i]))
        queries.append(Query((*shown, said), sampling=Sampling(max_tokens=MOST_TOKENS)))
    new = [example.response for example in examples]
    for index, reply in model.reply(queries):
        if reply.error is not None:
            raise ModelError(f"{model.name}: a caption could not be revised: {reply.error}")
        text = (reply.text or "").strip()
        if 0 < len(text) <= MAX_RESPONSE:
            new[sent[index]] = text
    before = detector.score(items_of(examples))
    revised = [
        Example(e.example_id, e.group, e.prompt, t, (), e.source, scene=e.scene, image=e.image)
        for e, t in zip(examples, new, strict=True)
    ]
    after = score_each(detector, items_of(revised))
    found = []
    for old, fresh, a, b, marked in zip(examples, revised, before, after, targets, strict=True):
        expected = expect(old, a)
        if isinstance(b, str):
            value, kept = expected, False
        else:
            value = expect(fresh, b)
            kept = fresh.response != old.response and (value < expected or not accept)
        text = fresh.response if kept else old.response
        found.append(
            Correction(
                old.response,
                text,
                tuple(marked),
                int(kept),
                expected,
                value if kept else expected,
                changed_outside(old.response, text, marked),
            )
        )
    return found


def changed_outside(before: str, after: str, targets: Sequence[tuple[int, int]]) -> int:
    """Words of a caption that were changed or deleted and were no targets."""
    old, new = split(before), split(after)
    same = SequenceMatcher(
        None, [before[w.start : w.end] for w in old], [after[w.start : w.end] for w in new], autojunk=False
    )
    changed = [
        old[i] for tag, a, b, _, _ in same.get_opcodes() if tag in ("replace", "delete") for i in range(a, b)
    ]
    return sum(not any(w.start < end and w.end > start for start, end in targets) for w in changed)
