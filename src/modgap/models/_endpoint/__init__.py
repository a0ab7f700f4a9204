"""The pieces of the HTTP adapter: settings, request, answer, pace, budget, and a loop in a thread."""

from ._answer import Failure as Failure
from ._answer import read_response as read_response
from ._background import Background as Background
from ._key import Key as Key
from ._key import read_key as read_key
from ._ledger import Ledger as Ledger
from ._pace import Clock as Clock
from ._pace import Pace as Pace
from ._pace import backoff_seconds as backoff_seconds
from ._pace import retry_after_seconds as retry_after_seconds
from ._post import Response as Response
from ._post import post as post
from ._request import request_body as request_body
from ._scores import scored_reply as scored_reply
from ._settings import Settings as Settings
from ._settings import listed as listed
from ._settings import mapping as mapping
