"""Training a detector on a tiny model, its folder, and scoring captions with it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from tests.models.local.families import build
from transformers import AutoModelForImageTextToText

import modgap.tldr._train as training
from modgap._errors import FileError, InputError, ModelError, UnknownName
from modgap.media import Image
from modgap.models import local
from modgap.tldr import Example, Item, TypedSpan
from modgap.tldr._detect import detect, load_detector, spans, threshold_from
from modgap.tldr._detector import Calibration, TldrDetector
from modgap.tldr._detector_files import load_trained
from modgap.tldr._network import LoraSettings
from modgap.tldr._reading import Reader
from modgap.tldr._scores import Word
from modgap.tldr._steps import prior_of
from modgap.tldr._train import train
from modgap.tldr._train_config import TrainConfig, going_on

peft = pytest.importorskip("peft")
pytestmark = [
    # peft reads names that transformers has renamed.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
COLORS = {"red": (230, 20, 20), "blue": (20, 20, 230)}


def picture(color: str) -> Image:
    return Image.from_pil(PIL.Image.new("RGB", (32, 32), COLORS[color]))


def examples(n: int = 64) -> list[Example]:
    """Captions that name the colour of a picture, half of them wrongly."""
    made = []
    for i in range(n):
        seen, said = ("red", "blue")[i % 2], ("red", "blue")[i // 2 % 2]
        text = f"It is {said}."
        wrong = () if seen == said else (TypedSpan(6, 6 + len(said), "attribute", truth=seen),)
        split = "validation" if i >= n - 16 else "train"
        made.append(
            Example(f"{i}", f"{i // 4}", "Describe.", text, wrong, "test", split, image=picture(seen))
        )
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("llava", tmp_path_factory.mktemp("base") / "llava")


@pytest.fixture(scope="module")
def settings(base: Path) -> TrainConfig:
    return TrainConfig(
        str(base), lora=LoraSettings(rank=4), steps=30, captions=16, learning_rate=2e-2, checkpoint_every=10
    )


@pytest.fixture(scope="module")
def trained(settings: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder, said = tmp_path_factory.mktemp("trained") / "detector", []
    train(examples(), settings, folder, say=said.append)
    return folder, said


def test_it_learns_to_look(trained: tuple[Path, list[str]]) -> None:
    folder, said = trained
    detector = load_trained(folder)
    items = [Item(picture(seen), f"It is {told}.") for seen in COLORS for told in COLORS]
    highest = [scores.bad.max() for scores in detector.score(items)]
    assert max(highest[0], highest[3]) < min(highest[1], highest[2])
    figures = detector.config.validation
    assert float(figures["ap_neg"] or 0) > 0.9
    assert float(figures["prevalence"] or 1) < 0.3
    assert said[0].startswith("48 captions, ") and "30 steps" in said[0]
    assert said[1].startswith("step 3 of 30  loss 0.")
    assert "ap_neg" in said[-1]


def test_a_word_that_what_follows_makes_wrong_is_found_by_reading_bidirectionally(
    settings: TrainConfig, tmp_path: Path
) -> None:
    def told(example: Example) -> Example:
        ends = ("no.", "yes.")[int(example.example_id) // 2 % 2]
        span = TypedSpan(2, 5, "attribute")
        return replace(example, response=f"A red one; {ends}", spans=(span,) if ends == "no." else ())

    detector = train([told(e) for e in examples()], replace(settings, reads="bidirectional"), tmp_path / "d")
    again = load_trained(tmp_path / "d")
    assert again.config.way == "bidirectional"
    assert "the whole caption" in (tmp_path / "d/README.md").read_text()
    items = [Item(picture("red"), f"A red one; {end}") for end in ("yes.", "no.")]
    scores = again.score(items)
    right, wrong = (one.bad[one.offsets[:, 1] == 5][0] for one in scores)
    assert right < wrong - 0.2
    np.testing.assert_allclose(detector.score(items)[1].bad, scores[1].bad, atol=1e-5)
    path = tmp_path / "d/detector.json"
    path.write_text(path.read_text().replace("bidirectional,", "backwards,"))
    with pytest.raises(FileError, match=r"reads 'backwards, .*, and this modgap knows causal and bidir"):
        load_trained(tmp_path / "d")
    with pytest.raises(UnknownName, match="way of reading"):
        TrainConfig(reads="backwards")


def test_training_goes_on_from_a_detector_with_other_data(
    trained: tuple[Path, list[str]], settings: TrainConfig, tmp_path: Path
) -> None:
    few = replace(settings, model="nothing", lora=LoraSettings(), steps=1, learning_rate=1e-9)
    config = going_on(few, str(trained[0]))
    assert (config.model, config.lora) == (settings.model, settings.lora)
    again = train(examples()[::-1], config, tmp_path / "again")
    item = Item(picture("red"), "It is blue.")
    before = load_trained(trained[0]).with_calibration(Calibration()).score([item])[0].bad
    after = again.with_calibration(Calibration()).score([item])[0].bad
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert load_trained(tmp_path / "again").config.training["start"] == str(trained[0])
    other = build("llava", tmp_path / "other", seed=1)
    with pytest.raises(ModelError, match=r"trained on other weights than those of .*; go on from one"):
        train(examples(), replace(config, model=str(other)), tmp_path / "no")
    with pytest.raises(FileError, match=r"not a detector, detector\.json is missing"):
        going_on(few, str(tmp_path / "nowhere"))


def test_the_folder_is_one_that_peft_loads(trained: tuple[Path, list[str]], base: Path) -> None:
    folder, _ = trained
    files = {path.name for path in folder.iterdir()}
    assert files == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "detector.json",
        "head.safetensors",
    }
    model = peft.PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(base), str(folder))
    changed = {name for name, value in model.named_parameters() if "lora_B" in name and bool(value.any())}
    assert any("projector" in name for name in changed) and any("layers.2" in name for name in changed)
    card = (folder / "README.md").read_text()
    assert "rank 4, alpha 32, scaled by alpha/rank" in card and "AP(neg)" in card


def test_it_is_loaded_with_the_model_it_was_trained_on_only(
    trained: tuple[Path, list[str]], tmp_path: Path
) -> None:
    other = build("llava", tmp_path / "other", seed=1)
    with pytest.raises(ModelError, match=r"trained on other weights of .*; give the model it was trained on"):
        load_trained(trained[0], model=str(other))


def test_a_stopped_run_goes_on_and_ends_as_if_it_had_not_stopped(
    settings: TrainConfig, trained: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = training._Progress.on_log

    def stop(self: Any, args: Any, state: Any, *rest: Any, **more: Any) -> None:
        if state.global_step >= 15:
            raise KeyboardInterrupt
        progress(self, args, state, *rest, **more)

    out = tmp_path / "again"
    monkeypatch.setattr(training._Progress, "on_log", stop)
    with pytest.raises(KeyboardInterrupt):
        train(examples(), settings, out)
    monkeypatch.undo()
    with pytest.raises(FileError, match=r"other settings \(seed 0, now 1\); give those again, or choose"):
        train(examples(), replace(settings, seed=1), out)
    with pytest.raises(FileError, match=r"checkpoints of other settings \(data '"):
        train(examples()[:-17], settings, out)
    said: list[str] = []
    again = train(examples(), settings, out, say=said.append)
    assert said[1].startswith("step 12 of 30")
    straight = load_trained(trained[0])
    item = Item(picture("red"), "It is blue.")
    np.testing.assert_allclose(again.score([item])[0].bad, straight.score([item])[0].bad, atol=1e-4)


@pytest.mark.parametrize("objective", ["response", "token"])
def test_objectives_and_probes(base: Path, tmp_path: Path, objective: str) -> None:
    lora = LoraSettings(parts=())
    config = TrainConfig(str(base), objective=objective, lora=lora, steps=2, captions=16, prior_bias=False)
    detector = train(examples(), config, tmp_path / "probe")
    assert not (tmp_path / "probe" / "adapter_config.json").exists()
    loaded = load_trained(tmp_path / "probe")
    item = Item(picture("red"), "It is blue.")
    np.testing.assert_allclose(detector.score([item])[0].bad, loaded.score([item])[0].bad, atol=1e-6)
    assert loaded.config.objective == objective


def test_the_loss_is_that_of_the_tokens_that_count(base: Path) -> None:
    from modgap.models import local
    from modgap.tldr._network import DetectorNetwork, new_head

    pretrained = local.load(str(base)).pretrained
    network = DetectorNetwork(pretrained, new_head(pretrained, 0.25), wrong_weight=3.0)
    logits = torch.tensor([[2.0, -1.0, 9.0]])
    real, labels = torch.tensor([[1, 1, 0]]), torch.tensor([[1.0, 0.0, 0.0]])
    loss = network._loss(logits, real, labels, torch.tensor([[1.0, 1.0, 0.0]]))
    # Closed form: log(1 + e^-2), and three times log(1 + e^-1), over four.
    assert float(loss) == pytest.approx((np.log1p(np.exp(-2)) + 3 * np.log1p(np.exp(-1))) / 4, abs=1e-6)
    focal = DetectorNetwork(pretrained, new_head(pretrained, 0.25), focal=2.0)
    loss = focal._loss(logits, real, labels, torch.tensor([[1.0, 1.0, 0.0]]))
    # Lin et al. 2017, equation 4: (1 - p)^2 times -log p, p the probability of the label.
    p = 1 / (1 + np.exp(-np.array([2.0, 1.0])))
    assert float(loss) == pytest.approx(np.mean((1 - p) ** 2 * -np.log(p)), abs=1e-6)
    response = DetectorNetwork(pretrained, new_head(pretrained, 0.25), objective="response")
    loss = response._loss(logits, real, labels, torch.tensor([[1.0, 1.0, 0.0]]))
    assert float(loss) == pytest.approx(np.log1p(np.exp(-1)), abs=1e-6)  # the last token, a wrong caption
    assert float(torch.sigmoid(new_head(pretrained, 0.25).bias.detach())) == pytest.approx(0.75)


def test_what_cannot_be_trained_is_refused(base: Path, tmp_path: Path) -> None:
    config = TrainConfig(str(base), steps=1)
    with pytest.raises(
        InputError, match="no examples of the split 'train'; make some with: modgap tldr data"
    ):
        train([replace(e, split="test") for e in examples()], config, tmp_path / "a")
    with pytest.raises(InputError, match="no error was found in the training examples"):
        train([replace(e, spans=()) for e in examples()], config, tmp_path / "b")
    with pytest.raises(UnknownName, match="objective 'tokens' is not one of token, response; did you mean"):
        TrainConfig(objective="tokens")
    with pytest.raises(InputError, match="steps is 0; it must be at least 1"):
        TrainConfig(steps=0)
    with pytest.raises(InputError, match="learning_rate is -1; it must be above 0"):
        TrainConfig(learning_rate=-1)
    with pytest.raises(InputError, match="focal is -1; it must be 0 or above"):
        TrainConfig(focal=-1)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "notes.txt").touch()
    with pytest.raises(FileError, match="not empty; choose another folder"):
        train(examples(), config, tmp_path / "c")


def test_damaged_folders_are_refused(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    def damaged(name: str, content: bytes) -> Path:
        folder = tmp_path / f"{name}-{len(content)}"
        shutil.copytree(trained[0], folder)
        (folder / name).write_bytes(content)
        return folder

    with pytest.raises(FileError, match=r"not a detector, detector.json is missing; expected a folder that"):
        load_trained(tmp_path)
    with pytest.raises(FileError, match=r"detector.json: .*make or get the detector again"):
        load_trained(damaged("detector.json", b"[" * 5000))
    with pytest.raises(FileError, match="a detector of format 9, and this modgap reads format 1"):
        load_trained(damaged("detector.json", b'{"base": "bundled", "weights": "", "version": 9}'))
    with pytest.raises(FileError, match=r"head.safetensors: not a head for a model of width 32"):
        load_trained(damaged("head.safetensors", b"xx"))


def write_lines(folder: Path, rows: list[dict[str, Any]]) -> Path:
    for color in COLORS:
        (folder / f"{color}.png").write_bytes(picture(color).data)
    path = folder / "captions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_detect_scores_characters_of_each_line(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    detector = load_detector(str(trained[0]))
    path = write_lines(
        tmp_path,
        [
            {"id": "a", "image": "red.png", "caption": "It is blue."},
            {"id": "b", "image": "red.png", "caption": ""},
            {"image": "red.png", "caption": "It is red."},
            {"caption": "x " * 3000},
            {"id": 7, "caption": "It is red."},
        ],
    )
    assert isinstance(detector, TldrDetector)
    rows = list(detect(detector, path, 0.5))
    assert [row.get("id") for row in rows] == ["a", "b", None, None, 7]
    assert rows[0]["spans"] == [{"start": 6, "end": 10, "type": "", "score": rows[0]["words"][2][2]}]
    assert rows[2]["spans"] == []
    assert [word[:2] for word in rows[0]["words"]] == [[0, 2], [3, 5], [6, 10]]
    assert rows[1]["error"] == "a caption without a word cannot be scored"
    assert "tokens and the model reads 1024; split the caption" in rows[3]["error"]
    assert "spans" in rows[4]
    blind = next(iter(detect(detector, path, None)))
    assert blind["spans"] == []


def test_a_threshold_from_clean_captions(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    detector = load_detector(str(trained[0]))
    clean = write_lines(tmp_path, [{"image": f"{c}.png", "caption": f"It is {c}."} for c in COLORS] * 2)
    threshold, n = threshold_from(detector, clean, 0.4)
    assert n == 2  # one of each picture
    assert 0 < threshold < 1
    with pytest.raises(InputError, match=r"2 clean captions .* too few for alpha 0.1; give 10 or more"):
        threshold_from(detector, clean, 0.1)


def test_flagged_neighbours_are_one_span() -> None:
    words = [Word(0, 2, 0.9), Word(3, 5, 0.8), Word(7, 9, 0.7), Word(10, 11, 0.1)]
    assert spans(words, "at up, no x", 0.5) == [
        {"start": 0, "end": 5, "type": "", "score": 0.9},
        {"start": 7, "end": 9, "type": "", "score": 0.7},
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"caption": 3}', "line 1: Expected `str`, got `int`"),
        ('{"caption": "x", "image": "../x.png"}', "leaves the folder"),
        ('{"caption": "x", "image": "captions.jsonl"}', "captions.jsonl"),
        ("[" * 3000, "line 1"),
    ],
)
def test_hostile_lines_are_refused(
    trained: tuple[Path, list[str]], tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text(line)
    with pytest.raises(FileError, match=message):
        list(detect(load_detector(str(trained[0])), path, 0.5))


def test_unknown_detectors_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no such folder; give a folder that 'modgap tldr train' wrote, or "):
        load_detector(str(tmp_path / "nothing"))


def test_the_prior_sees_every_caption_of_a_group(base: Path) -> None:
    """In data sets of groups of four, every so many captions would be true ones only."""
    reader = Reader(local.load(str(base)).pretrained)
    right, wrong, *_ = examples(4)  # the same text
    prior = prior_of(reader, [right, wrong, wrong, wrong] * 800)
    assert prior == pytest.approx(0.75 * prior_of(reader, [wrong] * 4), rel=0.1)
