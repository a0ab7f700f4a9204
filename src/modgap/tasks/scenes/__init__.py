"""Tasks on rendered scenes, one file each.

Every task file has ``ask(scene, rng)``, which makes one question about a given scene or returns ``None``;
with ``sample_world`` it makes as many training questions as wanted.
"""

from ._world import LEVELS as LEVELS
from ._world import Dials as Dials
from ._world import Style as Style
from ._world import sample_world as sample_world
