"""Vectors for other programs: GGUF round trips, adapters against the hook, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from modgap._errors import FileError, InputError, ModelError, UnknownName
from modgap.cli._group import app
from modgap.models.local._vector import SteeringVector, load_vector
from modgap.steering import export_adapter, read_gguf, write_gguf

from .tiny_families import families

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def vector(blocks: int = 4, width: int = 8) -> SteeringVector:
    directions = torch.randn(blocks, width, generator=torch.Generator().manual_seed(0))
    return SteeringVector("c", "meanshift", directions, {})


class TestGGUF:
    @pytest.fixture(autouse=True)
    def _gguf(self) -> None:
        pytest.importorskip("gguf")

    def test_there_and_back(self, tmp_path: Path) -> None:
        made = vector()
        path = tmp_path / "c.gguf"
        assert write_gguf(made, path, model_hint="llama", strength=2.0, blocks=[1, 3]) == 0
        again = read_gguf(path)
        assert again.directions.shape == (4, 8)
        assert torch.equal(again.directions[[1, 3]], 2 * made.directions[[1, 3]])
        assert not again.directions[[0, 2]].any()
        assert again.facts["model"] == "llama"

    def test_block_0_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"llama\.cpp cannot steer block 0"):
            write_gguf(vector(), tmp_path / "c.gguf", model_hint="llama")
        with pytest.raises(InputError, match="block 4 does not exist: the vector has blocks 0 to 3"):
            write_gguf(vector(), tmp_path / "c.gguf", model_hint="llama", blocks=[4])
        with pytest.raises(InputError, match="no direction to write"):
            write_gguf(vector(), tmp_path / "c.gguf", model_hint="llama", blocks=[])

    def test_as_repeng_writes_it(self, tmp_path: Path) -> None:
        """The keys of its files: layer_count, and one float32 tensor for each layer from 1."""
        import gguf

        writer = gguf.GGUFWriter(str(tmp_path / "r.gguf"), "controlvector")
        writer.add_string("controlvector.model_hint", "mistral")
        writer.add_uint32("controlvector.layer_count", 2)
        for layer in (1, 2):
            writer.add_tensor(f"direction.{layer}", np.full(8, layer, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        assert read_gguf(tmp_path / "r.gguf").directions[:, 0].tolist() == [0, 1, 2]

    def test_on_the_shell(self, tmp_path: Path) -> None:
        saved, file = vector().save(tmp_path / "v"), tmp_path / "c.gguf"
        run = CliRunner().invoke
        done = run(
            app, ["steer", "export", str(saved), "--to", "gguf", "--out", str(file), "--blocks", "1,2"]
        )
        assert done.exit_code == 0
        assert "read back: 0\n" in done.output
        done = run(app, ["steer", "import", str(file), "--out", str(tmp_path / "again")])
        assert "4 blocks of width 8" in done.output
        again = load_vector(tmp_path / "again").directions
        assert torch.equal(again[1:3], vector().directions[1:3])
        done = run(app, ["steer", "export", str(saved), "--to", "gguff", "--out", str(file)])
        assert done.exit_code == 2
        assert "did you mean 'gguf'?" in done.output

    def test_hostile_files(self, tmp_path: Path) -> None:
        path = tmp_path / "c.gguf"
        with pytest.raises(FileError, match="cannot be read"):
            read_gguf(path)
        write_gguf(vector(), path, model_hint="llama", blocks=[1, 2, 3])
        whole = path.read_bytes()
        for wrong in (b"", b"GGUF", whole[:40], whole[:-60], b"GGUF" + b"\xff" * 60):
            path.write_bytes(wrong)
            with pytest.raises(FileError, match="not a GGUF file, or damaged"):
                read_gguf(path)
        path.write_bytes(whole.replace(b"controlvector", b"controlvictor"))
        with pytest.raises(FileError, match="no control vector"):
            read_gguf(path)


class TestAdapters:
    def direction(self, blocks: int, width: int) -> SteeringVector:
        return vector(blocks, width)

    def test_a_bias_is_exact(self, tmp_path: Path) -> None:
        made = export_adapter("bundled", self.direction(8, 128), 2, 3.0, tmp_path / "bias")
        assert made.error < 1e-5
        assert made.logits_error < 1e-4
        assert (tmp_path / "bias" / "adapter_model.safetensors").is_file()
        with pytest.raises(InputError, match="give a new folder"):
            export_adapter("bundled", self.direction(8, 128), 2, 3.0, tmp_path / "bias")
        with pytest.raises(InputError, match="block 8 does not exist"):
            export_adapter("bundled", self.direction(8, 128), 8, 3.0, tmp_path / "b")
        with pytest.raises(UnknownName, match="place"):
            export_adapter("bundled", self.direction(8, 128), 2, 3.0, tmp_path / "b", where="both")  # type: ignore[arg-type]

    def test_a_norm_behind_the_mlp_is_refused(self, tmp_path: Path) -> None:
        folder = families.build("paligemma2", tmp_path / "m")
        width = 32
        with pytest.raises(ModelError, match=r"is off from the hook by .* and 0\.1 % is accepted"):
            export_adapter(str(folder), self.direction(2, width), 1, 3.0, tmp_path / "bias")
        assert not (tmp_path / "bias").exists()

    def test_rank_one_says_how_far_it_is_off(self, tmp_path: Path) -> None:
        made = export_adapter(
            "bundled", self.direction(8, 128), 0, 3.0, tmp_path / "lora", where="image", tolerance=10
        )
        assert 1e-5 < made.error < 1
        assert made.logits_error > 1e-5
        with pytest.raises(ModelError, match=r"0\.001 % is accepted"):
            export_adapter(
                "bundled", self.direction(8, 128), 0, 3.0, tmp_path / "b", where="image", tolerance=1e-5
            )
