"""Two machines of a Ray cluster, as two nodes of this one: found by RAY_ADDRESS, and one of them ends."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from modgap._errors import ModelError
from modgap.media import Text
from modgap.models import Query, Reply
from modgap.models._ray import RayModel

pytestmark = pytest.mark.slow

if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray is not installed: pip install 'modgap[ray]' to run this", allow_module_level=True)


@dataclass
class Slow:
    """Says where it is, after a moment."""

    name: str = "slow"
    modalities: frozenset[str] = frozenset({"text"})

    def fingerprint(self) -> dict[str, Any]:
        return {}

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        import ray

        for index, _ in enumerate(queries):
            time.sleep(0.05)
            yield index, Reply(ray.get_runtime_context().get_node_id())

    def close(self) -> None:
        pass


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that takes no workers and two machines of one processor."""
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": 80 * 2**20, "include_dashboard": False},
    )
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield made
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    ray.shutdown()
    made.shutdown()


def test_a_machine_that_ends_leaves_its_questions_to_the_other(cluster: Any) -> None:
    import ray

    nodes = [cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20) for _ in range(2)]
    said: list[str] = []
    queries = [Query((Text(f"question {number}"),), problem_id=str(number)) for number in range(80)]
    with contextlib.closing(RayModel(Slow, say=said.append)) as model:
        while model.loading:
            list(model.reply(queries[:1]))
        found: dict[int, Reply] = {}
        for index, reply in model.reply(queries):
            if len({reply.text for reply in found.values()}) == 2 and len(nodes) == 2:
                cluster.remove_node(nodes.pop(), allow_graceful=False)
            assert index not in found
            found[index] = reply
        assert len(nodes) == 1  # so both machines had answered
        assert sorted(found) == list(range(80))
        assert not any(reply.error for reply in found.values())
        assert any("a worker ended and is replaced" in line for line in said)
    assert not ray.is_initialized()  # it was connected for the model, and no longer


@pytest.mark.parametrize(
    "address", ["127.0.0.1:9", "no.such.host.invalid:6379", "127.0.0.1:99999", "auto", "nonsense"]
)
def test_no_cluster_at_the_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ModelError) as caught:
        RayModel(Slow)
    assert str(caught.value).startswith(f"RAY_ADDRESS {address!r}: no Ray cluster answers there (")
    assert "start one with 'ray start --head', or unset RAY_ADDRESS" in str(caught.value)
