"""An event loop in a thread of its own, so that calls go on while the caller does other things.

The caller may itself run inside an event loop (a notebook does), where a second one cannot be driven.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any

_STOP_SECONDS = 5.0


class Background:
    """A thread that runs coroutines. It is a daemon: it never keeps the interpreter alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="modgap-endpoint", daemon=True)
        self._thread.start()

    def start(
        self, coroutine: Coroutine[Any, Any, None], done: Callable[[BaseException | None], None]
    ) -> Callable[[], None]:
        """Run a coroutine.

        Args:
            coroutine: what to run.
            done: called once, in the thread, with the exception that ended it (``CancelledError`` when
                cancelled) or ``None``.

        Returns:
            A function that cancels it; harmless when it is over.
        """
        tasks: list[asyncio.Task[None]] = []

        def finish(task: asyncio.Task[None]) -> None:
            done(asyncio.CancelledError() if task.cancelled() else task.exception())

        def begin() -> None:
            tasks.append(self._loop.create_task(coroutine))
            tasks[0].add_done_callback(finish)

        def end() -> None:
            tasks[0].cancel()  # exists: the loop runs callbacks in the order they were handed in

        def cancel() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, so the task is over
                self._loop.call_soon_threadsafe(end)

        self._loop.call_soon_threadsafe(begin)
        return cancel

    def stop(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel what runs, await ``last()``, end the thread. Safe to call from any thread."""
        if threading.current_thread() is self._thread:
            # A collector may call this from the thread itself, which cannot wait for its own end.
            threading.Thread(target=self.stop, args=(last,), daemon=True).start()
            return

        async def finish() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await last()

        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(finish(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()
