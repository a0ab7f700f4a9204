"""How things become pixels, sound and frames."""

from ._parts import MAX_PIXELS as MAX_PIXELS
from ._parts import MODALITIES as MODALITIES
from ._parts import Audio as Audio
from ._parts import Image as Image
from ._parts import Modality as Modality
from ._parts import Part as Part
from ._parts import Text as Text
from ._parts import Video as Video
from ._parts import read_part as read_part
