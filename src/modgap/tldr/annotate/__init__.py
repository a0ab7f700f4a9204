"""People mark what is wrong in captions: a local web app, with the audit that the published study lacks.

    modgap tldr annotate DIR            # serves it on this machine
    modgap tldr annotate DIR --report   # time and recall by arm, agreement
    modgap tldr annotate DIR --export OUT

The study is table 7 of the TLDR paper. Half of the captions, by chance, show the flags of a detector; known
errors tell what annotators miss; time is measured while they look. Only ``_serve`` and what it uses need the
extra ``ui``.
"""

from ._agreement import WordAgreement as WordAgreement
from ._agreement import agreement as agreement
from ._agreement import krippendorff_alpha as krippendorff_alpha
from ._export import export as export
from ._items import Flag as Flag
from ._items import Item as Item
from ._items import read_items as read_items
from ._items import write_items as write_items
from ._report import AnnotationReport as AnnotationReport
from ._report import report as report
from ._store import Store as Store
from ._work import Mark as Mark
from ._work import Work as Work
