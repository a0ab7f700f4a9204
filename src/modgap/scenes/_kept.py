"""A cache bounded by bytes.

``functools.lru_cache`` counts entries. One sprite of a large picture takes as much memory as a thousand of a
small one, so no number of entries is right for both.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import PIL.Image

_K = TypeVar("_K", bound=Hashable)
_Pictures = tuple[PIL.Image.Image, ...]


class Kept(Generic[_K]):
    """Pictures made from a key and kept within a budget of memory, those unused for longest dropped first.

    Args:
        make: makes the pictures of a key; must always make the same.
        megabytes: how much the kept pictures may take.
    """

    def __init__(self, make: Callable[[_K], _Pictures], megabytes: float) -> None:
        self._make = make
        self._budget = int(megabytes * 1e6)
        self._bytes = 0
        self._kept: OrderedDict[_K, _Pictures] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, key: _K) -> _Pictures:
        """The pictures of a key; do not draw on them."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = self._make(key)  # outside the lock: two threads may make the same, which harms nobody
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += _size(made)
            while self._bytes > self._budget and len(self._kept) > 1:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
        return made


def _size(pictures: _Pictures) -> int:
    # Pillow stores RGB in four bytes, and every picture has some overhead.
    return sum(p.width * p.height * (1 if p.mode == "L" else 4) + 500 for p in pictures)
