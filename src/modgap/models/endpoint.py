"""A model behind an OpenAI-compatible chat completions address: endpoint:MODEL with --url.

``load("my-model", url="http://localhost:8000/v1")`` asks vLLM, llama.cpp, a hosted provider or anything else
that speaks the protocol. Calls run concurrently in a private thread and each reply is handed over as soon as
it is there. What fails in passing (429, 5xx, timeouts, broken connections, replies that are not JSON) is
repeated with exponential backoff and full jitter; what fails for good is an error of that one record; what
would fail for every record (a wrong key, model or address) stops the run with a ``ModelError``.

The key is read from the environment, sent in one header to the one address given, and kept nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import queue
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

import httpx2
import numpy as np

from modgap._errors import FileError, InputError, ModelError
from modgap.media import Modality, Video

from ._endpoint import (
    Background,
    Clock,
    Failure,
    Ledger,
    Pace,
    Response,
    Settings,
    backoff_seconds,
    listed,
    mapping,
    post,
    read_key,
    read_response,
    request_body,
    retry_after_seconds,
)
from ._query import JSON, AnswerMode, Query, Reply

_Results = queue.SimpleQueue[tuple[int, Reply] | BaseException | None]


def load(
    argument: str,
    *,
    url: str = "",
    key_env: str | None = None,
    concurrency: int = 16,
    timeout: float = 120.0,
    retries: int = 5,
    backoff: float = 0.5,
    budget: int | None = None,
    max_cost: float | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens",
    omit: Sequence[str] | str = (),
    extra_body: Mapping[str, JSON] | str | None = None,
    input_price: float | None = None,
    output_price: float | None = None,
    accepts: Sequence[Modality] | str = ("text", "image"),
    frames: int | None = None,
    answer: AnswerMode = "auto",
) -> Endpoint:
    """Prepare to ask a model over HTTP; nothing is sent yet.

    Args:
        argument: name of the model as the server knows it.
        url: base address, for example ``http://localhost:8000/v1``; there is no default.
        key_env: environment variable that holds the key. ``None`` takes ``OPENAI_API_KEY`` when it is set and
            the connection is encrypted or stays on this machine.
        concurrency: most calls under way at once.
        timeout: longest time for one call, in seconds.
        retries: how often a call that failed in passing is repeated.
        backoff: upper end of the first random wait before a repetition, in seconds; it doubles each time.
        budget: most calls in all, repetitions included; the other queries get an error and can be run later.
        max_cost: the same for money, in the currency of the prices.
        max_tokens: longest reply, in tokens; ``None`` takes the query's.
        temperature: ``None`` takes the query's.
        max_tokens_field: the name under which the server expects the limit.
        omit: fields of the request to leave out, for servers that refuse them; as a list or "a,b".
        extra_body: fields added to every request; a mapping, or one as JSON text.
        input_price: price of a million input tokens.
        output_price: price of a million output tokens.
        accepts: what the model can be shown; as a list or "text,image".
        frames: send a film as that many pictures, evenly spaced, for servers that take no ``video_url``;
            needs the extra ``video``.
        answer: ``options`` asks for log-probabilities and scores the options where these allow it exactly;
            the other replies stay as they were written. ``generate`` and ``auto`` always leave them so.

    Raises:
        InputError: if a setting is not accepted.
        ModelError: if ``key_env`` names a variable that is not set.
    """
    settings = Settings(
        model=argument,
        url=url,
        key_env=key_env,
        concurrency=concurrency,
        timeout=timeout,
        retries=retries,
        backoff=backoff,
        budget=budget,
        max_cost=max_cost,
        max_tokens=max_tokens,
        temperature=temperature,
        max_tokens_field=max_tokens_field,
        omit=listed(omit),
        extra_body=mapping("extra_body", extra_body),
        input_price=input_price,
        output_price=output_price,
        accepts=cast("tuple[Modality, ...]", listed(accepts)),  # Settings checks the names
        frames=frames,
        answer=answer,
    )
    return Endpoint(settings)


class Endpoint:
    """A model behind an HTTP address.

    Args:
        settings: checked settings.
        transport: stands in for the network in tests.
        clock: time, replaceable in tests.
        rng: source of the jitter. Unseeded by default: two processes that were refused together must not
            come back together, and no output depends on it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.settings = settings
        self._key = read_key(settings)
        self._transport = transport
        self._clock = clock or Clock()
        self._rng = rng or np.random.default_rng()
        self._pace = Pace(settings.concurrency, self._clock)
        self._ledger = Ledger(settings)
        self._worked = False  # some call gave a reply
        self._answered = False  # the server sent some response
        self._unreachable = 0  # queries given up for want of a connection, since the last response
        self._session: tuple[httpx2.AsyncClient, Background] | None = None
        self._finalizer: weakref.finalize[..., Endpoint] | None = None

    @property
    def name(self) -> str:
        """Name of the model as the server knows it."""
        return self.settings.model

    @property
    def modalities(self) -> frozenset[Modality]:
        """What was declared."""
        return frozenset(self.settings.accepts)

    def fingerprint(self) -> dict[str, JSON]:
        """What is sent besides the query. How fast, how often and with which key is left out."""
        settings = self.settings
        return {
            "adapter": "endpoint",
            "model": settings.model,
            "url": settings.address,
            "max_tokens": settings.max_tokens,
            "temperature": settings.temperature,
            "max_tokens_field": settings.max_tokens_field,
            "omit": list(settings.omit),
            "extra_body": dict(settings.extra_body),
            "frames": settings.frames,
            "answer": "options" if settings.answer == "options" else "generate",
        }

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Ask all queries; see :class:`Model`.

        Yields:
            (index, reply) in the order the replies come. Closing the generator, or an interrupt from the
            keyboard, cancels what is under way.

        Raises:
            ModelError: if no call can work: wrong key, model or address, no server, no money. Replies that
                came before are yielded first.
        """
        client, background = self._session = self._session or self._open()
        results: _Results = queue.SimpleQueue()
        cancel = background.start(self._ask_all(client, queries, results), results.put)
        ended = False
        try:
            while True:
                try:
                    result = results.get(timeout=1.0)
                except queue.Empty:  # waking up now and then lets an interrupt through on every platform
                    continue
                if not isinstance(result, tuple):
                    ended = True
                    break
                yield result
        finally:
            if not ended:
                cancel()
                with contextlib.suppress(queue.Empty):
                    while isinstance(results.get(timeout=10.0), tuple):
                        pass
        if isinstance(result, asyncio.CancelledError):
            raise ModelError(f"{self.settings.host}: the endpoint was closed while replies were awaited")
        if result is not None:
            raise result

    def close(self) -> None:
        """Cancel what is under way, close the connections, end the thread."""
        if self._finalizer is not None:
            self._finalizer()
            self._session = self._finalizer = None

    def _open(self) -> tuple[httpx2.AsyncClient, Background]:
        settings = self.settings
        client = httpx2.AsyncClient(
            headers={"User-Agent": "modgap"} | ({"Authorization": self._key.header} if self._key else {}),
            timeout=httpx2.Timeout(settings.timeout, connect=min(settings.timeout, 10.0)),
            limits=httpx2.Limits(
                max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency
            ),
            follow_redirects=False,  # the key must not travel to another host
            transport=self._transport,
        )
        background = Background()
        self._finalizer = weakref.finalize(self, background.stop, client.aclose)
        return client, background

    async def _ask_all(self, client: httpx2.AsyncClient, queries: Sequence[Query], results: _Results) -> None:
        waiting = iter(enumerate(queries))

        async def work() -> None:
            for index, query in waiting:  # shared by all workers: each takes the next
                results.put((index, await self._ask(client, query)))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.settings.concurrency, len(queries))):
                    group.create_task(work())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _ask(self, client: httpx2.AsyncClient, query: Query) -> Reply:
        if wrong := self._not_askable(query):
            return Reply(None, wrong)
        try:
            if self.settings.frames is not None and any(isinstance(part, Video) for part in query.parts):
                body = await asyncio.to_thread(request_body, query, self.settings)  # decoding takes its time
            else:
                body = request_body(query, self.settings)
        except FileError as error:
            return Reply(None, str(error))
        except ValueError as error:
            return Reply(
                None, f"the prompt is not valid Unicode ({error.args[-1]}); repair the text of the problem"
            )
        usage: dict[str, float] = {}  # of all attempts: what failed may have cost as much
        reply = await self._repeat(client, query, body, usage)
        return replace(reply, usage=usage or None)

    def _not_askable(self, query: Query) -> str:
        missing = {part.modality for part in query.parts} - self.modalities
        if missing:
            named = ", ".join(sorted(missing))
            accepts = ",".join((*self.settings.accepts, *sorted(missing)))
            return (
                f"{self.name} is not declared to take {named}; if it does, set the option accepts={accepts}"
            )
        if self.settings.answer == "options":
            if not query.options:
                return "answer mode 'options' needs options and this query has none; use 'auto' or 'generate'"
            temperature = self.settings.temperature
            if (query.sampling.temperature if temperature is None else temperature) > 0:
                raise InputError(
                    "answer mode 'options' needs temperature 0 at an endpoint: servers differ in whether the "
                    "log-probabilities they report are those before or after it; use 'generate'"
                )
        return ""

    async def _repeat(
        self, client: httpx2.AsyncClient, query: Query, body: bytes, usage: dict[str, float]
    ) -> Reply:
        failure = None
        for attempt in itertools.count(1):
            began = await self._pace.enter()
            try:
                if stop := self._ledger.begin():
                    return Reply(
                        None, f"{stop} (this call failed before: {failure.message})" if failure else stop
                    )
                outcome, wait = await self._call(client, query, body, began)
            finally:
                self._pace.leave()
            seconds = self._clock.now() - began
            for name, amount in (outcome.usage or {}).items():
                usage[name] = usage.get(name, 0.0) + amount
            if isinstance(outcome, Reply):
                return replace(outcome, seconds=seconds)
            failure = outcome
            if failure.fatal:
                raise ModelError(failure.message)
            if not failure.repeat or attempt > self.settings.retries:
                return self._give_up(failure, attempt, seconds)
            # Jitter comes on top of what the server asked for, or all would come back at that moment.
            await self._clock.sleep(wait + backoff_seconds(attempt, self.settings.backoff, self._rng))
        raise AssertionError("unreachable")

    async def _call(
        self, client: httpx2.AsyncClient, query: Query, body: bytes, began: float
    ) -> tuple[Reply | Failure, float]:
        """Make one call; the float is how long the server asked to wait, in seconds."""
        settings = self.settings
        try:
            response = await post(client, settings.address, body, settings.timeout)
        finally:
            self._ledger.end()
        outcome = read_response(response, query, settings, self._key, self._worked)
        wait = 0.0
        if isinstance(response, Response):
            self._answered, self._unreachable = True, 0
        if isinstance(outcome, Reply):
            self._worked = True
            self._pace.speed_up()
            if outcome.usage is not None or not outcome.refused:  # a refused prompt may cost nothing
                outcome = replace(outcome, usage=self._ledger.charge(outcome.usage))
        else:
            if outcome.usage is not None:
                outcome = replace(outcome, usage=self._ledger.charge(outcome.usage))
            if outcome.slow_down:
                self._pace.slow_down(began)
            if outcome.repeat and isinstance(response, Response):
                wait = retry_after_seconds(response.headers.get("retry-after"), self._clock.wall()) or 0.0
                self._pace.pause(wait)
        return outcome, wait

    def _give_up(self, failure: Failure, attempts: int, seconds: float) -> Reply:
        if failure.unreachable:
            self._unreachable += 1
            if not self._answered or self._unreachable >= self.settings.concurrency:
                raise ModelError(f"{failure.message}; is the server running at {self.settings.url}?")
        tried = f" (gave up after {attempts} attempts)" if attempts > 1 else ""
        return Reply(None, f"{failure.message}{tried}", seconds=seconds)
