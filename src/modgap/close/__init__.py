"""The loop: find where a model loses between words and pictures, say why, and keep what closes the gap."""

from __future__ import annotations

from ._changes import Change as Change
from ._loop import Closed as Closed
from ._loop import Tried as Tried
from ._loop import close as close
from ._patched import Patched as Patched
from ._plan import Plan as Plan
from ._plan import dry_run as dry_run
