"""Errors nobody put there: captions of a model, sets that people marked, and the comparison of texts.

The small files have the schemas on the cards of openbmb/RLHF-V-Dataset and zyxhhnkh/DetailVerifyBench.
"""

from __future__ import annotations

import difflib
import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import FileError, InputError
from modgap.media import Image
from modgap.scenes import BackgroundObject, Scene, SceneObject, draw_scene, write_caption, write_json
from modgap.tldr import TypedSpan, diff_spans, natural, read_captions, read_detail_verify, read_rlhf_v

SCENE = Scene(
    (
        SceneObject("circle", "red", "large", "solid", 17, 17),
        SceneObject("star", "blue", "small", "striped", 83, 50, 0, "fox"),
    ),
    (BackgroundObject("sun", 50, 8),),
)


def wrong(text: str, scene: Scene = SCENE) -> list[tuple[str, str]]:
    (example,) = natural([text], [scene])
    assert example.source == "natural" and example.scene == scene
    return [(text[s.start : s.end], s.type) for s in example.spans]


# Captions of a model.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("There is a small striped green star at the right.", [("green", "attribute")]),
        ("There is a small striped blue cross at the right.", [("cross", "object")]),
        ("There is a small striped blue star at the left.", [("left", "spatial")]),
        ("The star is left of the circle.", [("left", "spatial")]),
        ("There are three objects in the picture.", [("three", "counting")]),
        ("In the background are a sun and a moon.", [("moon", "small")]),
        ('The star carries the word "box".', [("box", "text")]),
        ("There is no star in the picture.", [("no star", "counterfactual")]),
        ("There are two green objects.", [("two", "counting"), ("green", "object"), ("objects", "object")]),
        ("A cat sits there. There is no moon in the picture.", [("A cat sits there.", "unread")]),
        ("", []),
    ],
)
def test_false_words_have_the_type_of_what_they_state(text: str, found: list[tuple[str, str]]) -> None:
    assert wrong(text) == found


def test_what_cannot_be_read_weighs_nothing() -> None:
    (example,) = natural(["A cat sits there."], [SCENE])
    assert example.spans == (TypedSpan(0, 17, "unread", 0.0),)
    assert not example.is_wrong and example.types == ()


def test_true_captions_have_no_spans() -> None:
    captions = [write_caption(SCENE, np.random.default_rng(i), "dense").text for i in range(10)]
    assert all(example.spans == () for example in natural(captions, [SCENE] * 10))


def test_captions_and_scenes_go_together(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 captions and 1 scenes do not match; give one for each"):
        natural(["a", "b"], [SCENE])
    file = tmp_path / "c.jsonl"
    as_object, as_text = json.loads(write_json(SCENE)), write_json(SCENE)
    lines = [{"caption": "a", "scene": as_object}, {"caption": "b", "scene": as_text, "more": 1}]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    assert read_captions(file) == (["a", "b"], [SCENE, SCENE])
    file.write_text('{"caption": "a", "scene": {"axes": "x"}}')
    with pytest.raises(FileError, match=r"c\.jsonl, line 1: JSON scene: "):
        read_captions(file)
    file.write_text('{"caption": "a"}')
    with pytest.raises(FileError, match=r"line 1: .*; expected JSON with caption, scene"):
        read_captions(file)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_labelled(text: str) -> None:
    (example,) = natural([text], [SCENE])
    assert example.response == text


# Comparison of texts.


def compared(text: str, correction: str, **settings: int) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.truth) for s in diff_spans(text, correction, "x", **settings)]


def test_changed_removed_and_missing_words() -> None:
    assert compared("Two red cats sit.", "Two blue cats sit.") == [("red", "blue")]
    assert compared("A big red cat sits.", "A cat sits.") == [("big red", "")]
    assert compared("A cat sits.", "A cat sits there.") == [("", "there")]
    assert compared("same", "same") == compared("", "") == []
    assert compared("", "new") == [("", "new")]
    assert diff_spans("It is red.", "It is not red.", "x") == (TypedSpan(6, 6, "x", 1.0, "not"),)
    assert diff_spans("It is red.", "It is not red.", "x", omissions=False) == ()


def test_short_matches_between_changes_join_them() -> None:
    text, correction = "one red cat and two dogs run", "two blue cat and three cows run"
    assert compared(text, correction) == [("one red", "two blue"), ("two dogs", "three cows")]
    assert compared(text, correction, min_match=2) == compared(text, correction)
    assert compared(text, correction, min_match=3) == [
        ("one red cat and two dogs", "two blue cat and three cows")
    ]
    # At the ends nothing joins: what comes before the first change was left alone.
    assert compared("a red cat", "a blue cat", min_match=3) == [("red", "blue")]


def test_repeated_phrases_map_to_the_right_place() -> None:
    text = "a red cup, a red cup and a red cup"
    assert diff_spans(text, "a red cup, a blue cup and a red cup", "x") == (
        TypedSpan(13, 16, "x", 1.0, "blue"),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_putting_the_truth_in_gives_the_correction(old: list[str], new: list[str]) -> None:
    text = " ".join(old)
    fixed = text
    for span in reversed(diff_spans(text, " ".join(new), "x")):
        fixed = f"{fixed[: span.start]} {span.truth} {fixed[span.end :]}"
    assert fixed.split() == new
    kept = len(old) - sum(len(text[s.start : s.end].split()) for s in diff_spans(text, " ".join(new), "x"))
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    assert kept >= sum(block.size for block in blocks)  # never more changes than the standard library finds


def test_comparing_is_bounded() -> None:
    before = time.process_time()
    diff_spans("a b " * 1000, "b a c " * 700, "x")
    assert time.process_time() - before < 5  # a hang, not a speed
    with pytest.raises(InputError, match=r"a text of 3,001 words is too long to compare; give up to 3,000"):
        diff_spans("a " * 3001, "a", "x")
    with pytest.raises(InputError, match="min_match 0 is not accepted; give 1 or more"):
        diff_spans("a", "a", "x", min_match=0)


# RLHF-V.


def rlhf_v(folder: Path, text: str) -> Path:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    png = Image.from_pil(draw_scene(SCENE, pixels=32)).data
    table = pa.table(
        {
            "ds_name": ["RLHF-V"],
            "image": [{"bytes": png, "path": "1.png"}],
            "text": [text],
            "origin_dataset": ["coco"],
            "origin_split": ['{"model": "m", "type": "detailed_description"}'],
            "idx": [0],
            "image_path": ["images/1.png"],
        }
    )
    pq.write_table(table, folder / "r.parquet")
    return folder / "r.parquet"


def test_rlhf_v(tmp_path: Path) -> None:
    pair = {
        "question": "What is there?",
        "chosen": "On the table there is one cup beside a lamp.",
        "rejected": "On the table there are two cups beside a lamp.",
    }
    answer, correction = read_rlhf_v(rlhf_v(tmp_path, json.dumps(pair)))
    assert answer.prompt == "What is there?" and answer.image is not None and answer.split == "test"
    assert [answer.response[s.start : s.end] for s in answer.spans] == ["are two cups"]
    assert answer.spans[0].truth == "is one cup" and answer.types == ("corrected",)
    assert correction.response == pair["chosen"] and not correction.spans
    assert correction.group == answer.group == "rlhf-v-images/1.png"


@pytest.mark.parametrize("text", ["{", '{"question": "a"}', "[]", "[" * 100_000])
def test_rlhf_v_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        FileError, match=r"r\.parquet, row 1: .*; expected text with question, chosen and rejected"
    ):
        list(read_rlhf_v(rlhf_v(tmp_path, text)))


# DetailVerifyBench.


def detail_verify(folder: Path, *lines: dict) -> Path:
    path = folder / "real_test.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return path


def test_detail_verify_real(tmp_path: Path) -> None:
    (tmp_path / "test" / "Nature").mkdir(parents=True)
    (tmp_path / "test" / "Nature" / "a.png").write_bytes(Image.from_pil(draw_scene(SCENE, pixels=32)).data)
    real = {
        "filename": "a.png",
        "category": "Nature",
        "Pre-recognition": "",
        "GT_description": "Two naïve cats on a mat.",
        "Modify": "Yes",
        "prompt": "Describe it.",
        "modelname": "m",
        "description_tag": "<Hallucination>Two</Hallucination> naïve cats 🐈 on a "
        "<HALLUCINATION>mat</HALLUCINATION>.",
        "hallucination_labels": [
            {"text": "mat", "labels": ["object"]},
            {"text": "Two", "labels": ["number"]},
        ],
    }
    clean = {**real, "description_tag": "A dog.", "Modify": "No", "hallucination_labels": []}
    first, second = read_detail_verify(detail_verify(tmp_path, real, clean), images=tmp_path / "test")
    assert first.response == "Two naïve cats 🐈 on a mat." and first.prompt == "Describe it."
    assert [(first.response[s.start : s.end], s.type) for s in first.spans] == [
        ("Two", "number"),
        ("mat", "object"),
    ]
    assert first.image is not None and first.group == second.group
    assert second.response == "A dog." and second.spans == ()


def test_detail_verify_synthetic(tmp_path: Path) -> None:
    line = {
        "id": 1,
        "image_path": "./test/Chart/b.png",
        "original_description": "A red bar.",
        "description_tag": "A <HALLUCINATION>blue</HALLUCINATION> bar.",
        "adversarial_iterations": 2,
        "hallucination_labels": [
            {"attribute_type": "color", "original_span": "red", "final_replacement": "blue", "applied": True}
        ],
    }
    (example,) = read_detail_verify(detail_verify(tmp_path, line))
    assert example.response == "A blue bar." and example.image is None
    assert example.spans == (TypedSpan(2, 6, "color", 1.0, "red"),)


@pytest.mark.parametrize(
    ("tagged", "message"),
    [
        ("a <Hallucination>b", "line 1: the last <hallucination> is not closed"),
        ("a </Hallucination>b", "tag </Hallucination> at character 2 does not match the one before"),
        ("<Hallucination><Hallucination>", "tag <Hallucination> at character 15 does not match"),
    ],
)
def test_tags_that_do_not_match_are_refused(tmp_path: Path, tagged: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        list(read_detail_verify(detail_verify(tmp_path, {"description_tag": tagged})))


def test_pictures_stay_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for line, message in (
        ({"filename": "../real_test.jsonl"}, "leaves the folder"),
        ({"filename": "a.png", "category": "../.."}, "is not a file"),
        ({"filename": "none.png"}, r"real_test\.jsonl, line 1: path 'none.png' is not a file"),
    ):
        file = detail_verify(tmp_path, {"description_tag": "a", **line})
        with pytest.raises(FileError, match=message):
            list(read_detail_verify(file, images=tmp_path / "images"))
