"""Is a model what it should be? For now: the gates of the bundled model."""

from .gates import Gate as Gate
from .gates import check_gates as check_gates
