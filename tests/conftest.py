"""What holds for every test."""

from __future__ import annotations

import signal
import threading


def pytest_configure() -> None:
    """Let interrupts through.

    A shell starts background jobs with SIGINT ignored, and children inherit that: tests of Ctrl-C would
    wait for ever.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
