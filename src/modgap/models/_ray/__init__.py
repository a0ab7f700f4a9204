"""One model in several processes, on one machine or many, behind the interface of a single model.

``RayModel(partial(load_model, "bundled"), workers=2)`` starts two Ray actors that each load the model, and
shares the queries out among them. Whoever asks sees one model: the same name, the same fingerprint, the
same replies. A worker that ends, however it ends, is replaced and what it was asked is asked again.

Ray is imported when a model is spread, not when this package is.
"""

from ._model import RayModel as RayModel
