"""Is a model what it should be? Any local model against the contracts, the bundled one against its gates."""

from ._gate import Gate as Gate
from .checks import Check as Check
from .checks import check_model as check_model
from .gates import check_gates as check_gates
