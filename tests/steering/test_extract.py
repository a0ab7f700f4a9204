"""Concepts, and directions from text alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from modgap._errors import FileError, InputError, UnknownName
from modgap.models import load_model
from modgap.steering import Concept, concept_names, extract, load_concept, random_like, text_model
from modgap.steering._extract import METHODS, anchored
from modgap.steering._matched import word_class
from modgap.steering._text_states import TextModel, text_states, token_of


@pytest.fixture(scope="module")
def backbone() -> TextModel:
    return text_model("bundled")


@pytest.mark.parametrize("name", concept_names())
def test_every_concept(name: str, backbone: TextModel) -> None:
    concept = load_concept(name)
    assert len(concept.sentences) >= 20
    anchors = [anchor for anchor, _ in concept.sentences]
    assert max(map(anchors.count, anchors)) <= len(anchors) / 3
    found = anchored(backbone, concept)
    assert found.anchors.shape[1] + len(found.skipped) == len(concept.sentences)
    assert len(found.skipped) <= 6


def test_no_sentence_belongs_to_two_concepts() -> None:
    sentences = [s for name in concept_names() for _, s in load_concept(name).sentences]
    assert len(set(sentences)) == len(sentences)


def test_states_are_those_of_the_model(backbone: TextModel) -> None:
    """Outputs of blocks, the last one before the final norm; a text alone gives what it gives in a batch."""
    texts = ["the cat sleeps", "two birds sit on the wall"]
    together = text_states(backbone, texts)
    alone = text_states(backbone, texts[:1])
    length = int(alone.real.shape[1])
    assert torch.allclose(together.states[:, 0, :length], alone.states[:, 0], atol=1e-4)
    assert token_of(together, 0, 4, 7) is not None
    assert token_of(together, 0, 4, 9) is None
    ids = backbone.tokenizer(
        backbone.tokenizer.bos_token + " the cat sleeps", return_tensors="pt", add_special_tokens=False
    )
    with torch.no_grad():
        hidden = backbone.run(ids["input_ids"], ids["attention_mask"])[0]
    assert not torch.allclose(alone.states[-1, 0], hidden[0], atol=1e-2)  # that one is after the norm


@pytest.mark.parametrize("method", METHODS)
def test_every_method(method: str, backbone: TextModel) -> None:
    concept, other = load_concept("spatial"), load_concept("entity")
    vector = extract(backbone, concept, method, against=[other])
    assert vector.directions.shape == (len(backbone.blocks), 128)
    again = extract(backbone, concept, method, against=[other])
    assert torch.equal(vector.directions, again.directions)
    if method == "matched":
        with pytest.raises(InputError, match="shuffle 'meanshift'"):
            extract(backbone, concept, method, shuffled=True)
        return
    shuffled = extract(backbone, concept, method, against=[other], shuffled=True)
    assert vector.fingerprint != shuffled.fingerprint
    if method == "probe":
        assert float(vector.facts["held_out_accuracy"] or 0) > 0.7
    if method == "probe-published":
        assert torch.allclose(vector.directions.norm(dim=1), torch.ones(len(backbone.blocks)))


def test_meanshift_by_hand(backbone: TextModel) -> None:
    concept = Concept("c", (("red", "a red apple lies here"), ("blue", "the blue boat sails")))
    found = anchored(backbone, concept)
    words = len(backbone.tokenizer.tokenize(" a red apple lies here the blue boat sails"))
    assert (found.anchors.shape[1], found.others.shape[1]) == (2, words - 2)
    by_hand = found.anchors.mean(dim=1) - found.others.mean(dim=1)
    assert torch.equal(extract(backbone, concept).directions, by_hand)
    early = anchored(backbone, concept, off_by_one=True)
    assert torch.equal(early.anchors[1:], found.anchors[:-1])


def test_controls_that_match_by_hand(backbone: TextModel) -> None:
    """A preposition is held against prepositions, and of these against the nearest in place."""
    assert [word_class(w) for w in ("the", "two", "Under", "runs", "red", "zebra")] == [
        *("determiner", "determiner", "preposition", "verb", "adjective", "noun")
    ]
    concept = Concept("c", (("under", "the cat sleeps under the bed"), ("over", "a bird flies over it")))
    vector = extract(backbone, concept, "matched")
    assert (vector.facts["matched"], vector.facts["places_off"]) == (2, 0)  # "in the river" and the like
    published = extract(backbone, concept)
    assert (vector.directions - published.directions).norm() > 1


def test_the_language_part_of_a_multimodal_model() -> None:
    from modgap.models import bundled

    read = text_model(str(bundled.FOLDER))
    assert len(read.blocks) == 8
    assert extract(read, load_concept("counting")).directions.shape == (8, 128)


def test_a_random_control_is_as_long(backbone: TextModel) -> None:
    vector = extract(backbone, load_concept("depth"))
    control = random_like(vector, 3)
    assert torch.allclose(control.directions.norm(dim=1), vector.directions.norm(dim=1), rtol=1e-5)
    assert torch.equal(control.directions, random_like(vector, 3).directions)


def test_a_concept_of_a_user(tmp_path: Path, backbone: TextModel) -> None:
    path = tmp_path / "size.jsonl"
    lines = [{"anchor": "small", "sentence": "a small cup"}, {"anchor": "large", "sentence": "the large bus"}]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert extract(backbone, load_concept(str(path))).concept == "size"
    path.write_text('{"anchor": 3}')
    with pytest.raises(FileError, match="line 1"):
        load_concept(str(path))
    path.write_text("[" * 100_000)
    with pytest.raises(FileError, match="not JSON lines"):
        load_concept(str(path))


def test_what_does_not_fit(backbone: TextModel) -> None:
    with pytest.raises(UnknownName, match="concept"):
        load_concept("spatail")
    with pytest.raises(UnknownName, match="method"):
        extract(backbone, load_concept("spatial"), "mean")
    with pytest.raises(InputError, match="exactly once"):
        Concept("c", (("red", "no such word"), ("blue", "blue")))
    with pytest.raises(InputError, match="at least one"):
        extract(backbone, load_concept("spatial"), "others")
    with pytest.raises(InputError, match="anchors are one token"):
        extract(backbone, Concept("c", (("xylophone", "a xylophone"), ("zeppelin", "the zeppelin"))))
    with pytest.raises(FileError, match="no model there"):
        text_model(str(Path(__file__).parent))


def test_the_model_is_left_as_it_was() -> None:
    model = load_model("bundled")
    assert all(not block._forward_hooks for block in model.pretrained.anatomy.blocks)  # type: ignore[attr-defined]
