"""The report as a file: its pages, its limits, and what it says."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from modgap._errors import RunError
from modgap.report import _write, write_report
from modgap.report._facts import command

GOLDEN = Path(__file__).with_name("golden") / "report.html"


def normal(html: str) -> str:
    """Without what other versions of libraries, the clock, or a new colour change: the figures and texts
    stay."""
    html = re.sub(r"<style>.*?</style>", "<style></style>", html, flags=re.S)
    html = re.sub(r"<script>.*?</script>", "<script></script>", html, flags=re.S)
    html = re.sub(r"sha256-[A-Za-z0-9+/=]+", "sha256-…", html)
    html = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "data:…", html)
    html = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+(?:Z|[+-]\d\d:\d\d)?", "TIME", html)
    html = re.sub(r"(<dt>Versions</dt><dd>).*?(</dd>)", r"\1…\2", html)
    html = re.sub(r"(<dt>Fingerprint</dt><dd>).*?(</dd>)", r"\1…\2", html)
    html = re.sub(r"\d\.\d{6,}(e-\d+)?", lambda number: f"{float(number[0]):.5g}", html)
    return re.sub(r"\n\s*\n+", "\n", html)


def test_golden_report(make_run):
    # The file was read line by line when it was made. After a wanted change: MODGAP_GOLDEN=write pytest
    # <this file>.
    html = normal(write_report(make_run(12).folder).read_text("utf-8"))
    if os.environ.get("MODGAP_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(html, "utf-8")
    assert html.splitlines() == GOLDEN.read_text("utf-8").splitlines()


def test_figures_are_the_summary(make_run):
    from modgap.evaluate import summarize, summary_to_json

    run = make_run(30)
    html = write_report(run.folder).read_text("utf-8")
    block = re.search(r'id="figures">(.*?)</script>', html, re.S)
    assert block
    expected = summary_to_json(summarize(run.records(), run.problems(media=False)))
    assert json.loads(block[1]) == json.loads(json.dumps(expected))
    assert expected["verdict"].split(":")[0].replace(" %", "\u00a0%") in html


def test_a_rebuilt_report_is_the_same(make_run):
    run = make_run(12)
    assert write_report(run.folder).read_bytes() == write_report(run.folder).read_bytes()


def test_many_problems_go_to_further_pages(make_run):
    run = make_run(430, ["list", "image"])
    report = write_report(run.folder)
    pages = sorted((run.folder / "report_files").iterdir())
    assert [page.name for page in pages] == ["cards-002.html", "cards-003.html"]
    texts = [path.read_text("utf-8") for path in (report, *pages)]
    numbers = [re.findall(r'id="card-(\d+)"', text) for text in texts]
    assert [len(found) for found in numbers] == [200, 200, 30]
    assert len({number for found in numbers for number in found}) == 430
    # Pictures of the first page are inside it, those of the others are the files of the run.
    assert "media/" not in texts[0]
    sources = re.findall(r'src="([^"]+)"', texts[1])
    assert sources and all((pages[0].parent / source).is_file() for source in sources)
    # A smaller report removes the pages of a larger one.
    records = (run.folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    (run.folder / "records.jsonl").write_bytes(b"".join(records[:100]))
    write_report(run.folder)
    assert list((run.folder / "report_files").iterdir()) == []


def test_the_first_page_shows_every_kind_first_those_that_disagree(make_run):
    html = write_report(make_run(430, ["list", "image"]).folder).read_text("utf-8")
    cards = re.findall(r'<article class="card".*? data-task="(.*?)" data-tags="(.*?)"', html)
    assert {task for task, _ in cards} == {"made/where", "made/which"}
    disagreeing = ["disagree" in tags for _, tags in cards]
    assert disagreeing == sorted(disagreeing, reverse=True)
    assert 0 < sum(disagreeing) < 200
    for outcome in ("correct", "wrong", "unparsed", "refused", "error"):
        assert any(outcome in tags.split() for _, tags in cards)


def test_large_pictures_do_not_swell_the_first_page(make_run, made, monkeypatch):
    monkeypatch.setattr(_write, "MOST_BYTES", 50_000)
    run = make_run(60)
    report = write_report(run.folder)
    first = report.read_text("utf-8").count("<article")
    further = (run.folder / "report_files" / "cards-002.html").read_text("utf-8").count("<article")
    assert 1 <= first < 30 and first + further == 60


def test_long_replies_are_cut_with_a_note(make_run, made):
    from modgap.models import Reply

    def long(number, representation, query):
        return Reply("word " * 5_000 + f"\nAnswer: {query.truth}")

    html = write_report(make_run(3, answer=long).folder).read_text("utf-8")
    assert "more characters are in the run folder" in html
    assert len(html) < 300_000


def test_one_modality(make_run):
    html = write_report(make_run(10, ["list"]).folder).read_text("utf-8")
    assert "Only one modality was measured, so there is no gap to state." in html
    assert "Words against" not in html and 'class="matrix"' in html


def test_sound_and_film(make_run):
    html = write_report(make_run(40, ["list", "image", "audio", "video"]).folder).read_text("utf-8")
    for noun in ("pictures", "sound", "video"):
        assert f"Words against {noun}</h2>" in html
    assert '<audio controls preload="none" src="data:audio/wav;base64,' in html
    assert '<video controls preload="none" src="data:video/mp4;base64,' in html


def test_a_run_without_records(make_run):
    run = make_run(3)
    (run.folder / "records.jsonl").write_bytes(b"")
    html = write_report(run.folder).read_text("utf-8")
    assert "Nothing was measured: the run has no records." in html
    assert "<article" not in html


def test_several_samples_are_lines_of_one_card(make_run):
    html = write_report(make_run(4, ["list", "image"], samples=2, temperature=1.0).folder).read_text("utf-8")
    assert html.count("<article") == 4
    assert html.count("image · 2</th>") == 4


def test_what_is_not_a_run_is_said(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        write_report(tmp_path / "nothing")


def test_a_folder_that_cannot_be_written_is_said(make_run, monkeypatch):
    run = make_run(3)
    (run.folder / "report.html").mkdir()
    with pytest.raises(
        RunError, match=r"report\.html: cannot be written \(.*\); make room or check its rights"
    ):
        write_report(run.folder)


def test_command_states_what_is_not_default():
    config = {
        "model": "org/a model",
        "suite": "scenes",
        "n": 64,
        "seed": 0,
        "modalities": ["text", "image"],
        "representations": [],
        "set": {"level": "hard", "perspective": True},
        "load_in_4bit": True,
        "adapter": None,
        "temperature": 0.0,
        "name": "mine",
        "out": "/tmp/x",
    }
    assert command(config) == (
        "modgap measure --model 'org/a model' --suite scenes --n 64 --modalities text,image "
        "--set level=hard --set perspective=true --load-in-4bit"
    )
