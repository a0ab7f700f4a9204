"""The bundled model behind ``transformers serve``, a real server, against the same model in this process.

Whatever happens to a problem on its way over HTTP (encoding of the request, of pictures, the server's own
chat template and decoding) would show here: replies, answers and outcomes must be the same, not just alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import modgap
from modgap.evaluate import Run
from modgap.media import Text
from modgap.models import Query, bundled, load_model

from .serving import missing, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that lives as long as this module's tests."""
    if missing():
        pytest.skip(f"no {', '.join(missing())}: pip install 'transformers[serving]' to run this")
    if not (bundled.FOLDER / "config.json").is_file():
        pytest.skip("the bundled model has not been made")
    with served(bundled.FOLDER, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def measure(model: str, out: Path, **options: object) -> Run:
    return modgap.measure(  # type: ignore[no-any-return]
        model, "scenes", n=1, seed=3, set={"level": "plain"}, out=out, name="run", **options
    )


def test_the_same_replies_as_without_a_server(url: str, tmp_path: Path) -> None:
    here = measure("bundled", tmp_path / "here", answer="generate").records()
    served = measure(f"endpoint:{bundled.FOLDER}", tmp_path / "served", url=url).records()
    assert {record.modality for record in here} == {"text", "image"}
    assert len(here) == len(served)
    there = {(record.problem_id, record.representation): record for record in served}
    for record in here:
        other = there[record.problem_id, record.representation]
        assert (other.reply, other.answer, other.outcome) == (record.reply, record.answer, record.outcome)
        assert other.outcome != "error"
        # The prompt is as long in tokens, so template, instruction and picture arrived whole.
        assert record.usage is not None and other.usage is not None
        assert other.usage["input_tokens"] == record.usage["input_tokens"]


def test_log_probabilities_that_are_not_sent_leave_the_reply(url: str) -> None:
    query = Query((Text("Question: Is there a star?\nOptions: yes, no"),), options=("yes", "no"))
    replies = []
    for mode in ("generate", "options"):
        model = load_model(f"endpoint:{bundled.FOLDER}", url=url, answer=mode)
        ((_, reply),) = model.reply([query])
        model.close()
        assert (reply.error, reply.option_scores) == (None, None)
        replies.append(reply.text)
    assert replies[0] == replies[1]


def test_another_name_for_the_model_is_an_error_that_says_so(url: str) -> None:
    model = load_model("endpoint:other/model", url=url)
    ((_, reply),) = model.reply([Query((Text("Hello"),))])
    model.close()
    assert reply.error is not None
    assert "HTTP 400: Server is pinned to" in reply.error
