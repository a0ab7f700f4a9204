"""The registry of models: names, arguments, options and adapters of other packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modgap._errors import FileError, InputError, ModelError, UnknownName
from modgap.models import Query, load_model, names


def test_every_name_has_a_line() -> None:
    listed = names()
    assert {"bundled", "endpoint", "local", "oracle", "random", "replay"} <= set(listed)
    assert list(listed) == sorted(listed)
    for name, line in listed.items():
        assert 20 < len(line) <= 110, name


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(
        UnknownName, match=r"^model 'bundeld' is not one of bundled, .* did you mean 'bundled'\?$"
    ):
        load_model("bundeld")
    with pytest.raises(UnknownName, match=r"a model folder, a hub id org/name"):
        load_model("_query")


@pytest.mark.parametrize("spec", ["./nothing", "/nothing/here", "~/nothing", "../a/b"])
def test_what_looks_like_a_path_is_one(spec: str) -> None:
    with pytest.raises(FileError, match="no such folder; give a model folder or a hub id"):
        load_model(spec)


def test_a_folder_is_a_model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for spec in ("mine", "local:mine", str(tmp_path / "mine")):
        with pytest.raises(FileError, match=r"not a model folder, config\.json is missing"):
            load_model(spec)


def test_a_name_wins_over_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random").mkdir()
    assert load_model("random").name == "random"
    with pytest.raises(FileError, match="not a model folder"):
        load_model("./random")


def test_local_needs_an_argument() -> None:
    with pytest.raises(
        InputError, match="no model was named; give a model folder or a hub id such as org/name"
    ):
        load_model("local")


def test_options_that_a_model_does_not_accept_are_named() -> None:
    with pytest.raises(InputError, match="model 'random' does not accept the option dtype; it accepts seed"):
        load_model("random", dtype="float32")
    with pytest.raises(InputError, match="does not accept the options dtype, answer; it accepts"):
        load_model("random", dtype="float32", answer="auto")
    assert load_model("random", dtype=None).name == "random"


OWN_ADAPTER = '''"""A model of another package, for the test."""

class Echo:
    name = "echo"

    def __init__(self, argument, options):
        self.argument, self.options = argument, options


def load(argument, **options):
    return Echo(argument, options)
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package on the path that adds adapters: one that works, one that does not, one without ``load``."""
    (tmp_path / "own_models.py").write_text(OWN_ADAPTER)
    (tmp_path / "without_load.py").write_text('"""Nothing to load in here, unfortunately."""\n')
    info = tmp_path / "own_models-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-models\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[modgap.models]\necho = own_models\n"
        "broken = no_such_module\nempty = without_load\nrandom = own_models\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("installed")
def test_packages_add_adapters() -> None:
    model = load_model("echo:some:thing", colour="red")
    assert (vars(model)["argument"], vars(model)["options"]) == ("some:thing", {"colour": "red"})
    listed = names()
    assert listed["echo"] == "A model of another package, for the test."
    assert listed["broken"] == "cannot be loaded: No module named 'no_such_module'"
    with pytest.raises(
        ModelError, match=r"the model adapter 'empty' has no function load\(argument, \*\*options\)"
    ):
        load_model("empty")


@pytest.mark.usefixtures("installed")
def test_packages_cannot_take_over_a_name() -> None:
    assert type(load_model("random")).__module__ == "modgap.models.random"


def test_torch_is_not_imported_until_a_local_model_is_loaded() -> None:
    code = (
        "import sys, modgap.models as m; m.names(); m.load_model('random'); "
        "import modgap.models.local, modgap.models.bundled; "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_query_can_be_written_without_torch() -> None:
    assert Query(()).answer_prefix == "Answer:"
