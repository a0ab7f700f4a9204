"""The machines: connecting to them, and how much of them a worker takes.

``RAY_ADDRESS`` names a cluster that is running (``auto`` for the one this machine belongs to); without it, a
cluster of this machine alone is started and ended with the model.
"""

from __future__ import annotations

import logging
import math
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from modgap._errors import InputError, MissingExtra, ModelError

STORE_BYTES = 256 * 2**20
"""Shared memory of a cluster that is started here. It holds pieces under way, each of some MB of pictures."""


KNOCK_SECONDS = 10.0
"""How long a cluster may take to accept a connection (our choice: far more than any network needs)."""


@dataclass(frozen=True)
class Machine:
    """What one machine of the cluster has in all, free or not."""

    cpus: float
    gpus: float


@dataclass(frozen=True)
class Share:
    """What the workers take.

    Args:
        workers: how many there are.
        cpus: processors of each; torch uses as many threads.
        gpus: GPUs of each; below 1, several workers share one.
    """

    workers: int
    cpus: int
    gpus: float


def connect() -> bool:
    """Connect this process to a cluster, unless it already is.

    Returns:
        Whether it was connected here, and so has to be disconnected here.

    Raises:
        MissingExtra: if Ray is not installed.
        ModelError: if there is no cluster at ``RAY_ADDRESS``, or none can be started.
    """
    # Said to Ray before it is imported: nothing is reported to anybody, unless the user wants that.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("the engine 'ray'", "ray") from error
    if ray.is_initialized():
        return False
    address = os.environ.get("RAY_ADDRESS", "")
    try:
        if address:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(
                address="local",
                object_store_memory=STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        said = " ".join(str(error).split())[:200]
        if address:
            raise ModelError(
                f"RAY_ADDRESS {address!r}: no Ray cluster answers there ({said}); "
                "start one with 'ray start --head', or unset RAY_ADDRESS to use this machine alone"
            ) from error
        raise ModelError(f"Ray cannot be started on this machine ({said})") from error
    return True


def _knock(address: str) -> None:
    """Try ``host:port``, since Ray itself would try for many minutes; other forms are left to Ray.

    Raises:
        OSError: if nobody listens there.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


def machines() -> list[Machine]:
    """The machines that are up."""
    import ray

    held = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [Machine(resources.get("CPU", 0.0), resources.get("GPU", 0.0)) for resources in held]


def room(cluster: Sequence[Machine], cpus: int, gpus: float) -> int:
    """How many workers of ``cpus`` processors and ``gpus`` GPUs have room, if nothing else runs."""
    return sum(_room(machine, cpus, gpus) for machine in cluster)


def _room(machine: Machine, cpus: int, gpus: float) -> int:
    places = math.floor(machine.cpus / cpus)
    if gpus >= 1:
        places = min(places, math.floor(machine.gpus / gpus))
    elif gpus > 0:
        # A part of a GPU is a part of one GPU. The small number keeps 1 / 0.1 at 10.
        places = min(places, math.floor(machine.gpus) * math.floor(1 / gpus + 1e-9))
    return places


def share(cluster: Sequence[Machine], workers: int | None = None, gpus: float | None = None) -> Share:
    """Divide the machines among workers.

    Args:
        cluster: the machines.
        workers: how many are wanted; by default as many as the GPUs allow, or one for each machine.
        gpus: GPUs of each; by default 1, or 0 where no machine has any.

    Returns:
        Workers that all have room at once, with as many processors each as that leaves.

    Raises:
        InputError: if so many have no room.
    """
    if gpus is None:
        gpus = 1.0 if any(machine.gpus >= 1 for machine in cluster) else 0.0
    if workers is None:
        workers = max(1, room(cluster, 1, gpus) if gpus else sum(machine.cpus >= 1 for machine in cluster))
    places = room(cluster, 1, gpus)
    if places < workers:
        count = len(cluster)
        raise InputError(
            f"workers {workers} at {gpus:g} GPUs each: {count} machine{'s' * (count != 1)} with "
            f"{sum(m.cpus for m in cluster):g} processors and {sum(m.gpus for m in cluster):g} GPUs "
            f"{'has' if count == 1 else 'have'} room for {places}; "
            "give fewer workers, fewer gpus_per_worker, or add machines"
        )
    most = int(max(machine.cpus for machine in cluster))
    cpus = next(cpus for cpus in range(most, 0, -1) if room(cluster, cpus, gpus) >= workers)
    return Share(workers, cpus, gpus)
