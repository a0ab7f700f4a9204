"""One HTTP exchange: send a body, read a bounded reply, or say in words what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import httpx2

MAX_BODY = 4 * 2**20
"""Longest reply body that is read, in bytes after decompression (our choice: far above any answer)."""


@dataclass(frozen=True)
class Response:
    """What a server sent.

    Args:
        status: HTTP status.
        headers: lower-case names.
        body: at most ``MAX_BODY`` bytes.
        cut: the body was longer than that.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass(frozen=True)
class NoResponse:
    """Why there is no response.

    Args:
        kind: ``unreachable`` (no connection), ``timeout``, or ``broken`` (the connection failed under way).
        message: in words.
    """

    kind: Literal["unreachable", "timeout", "broken"]
    message: str


async def post(
    client: httpx2.AsyncClient, address: str, body: bytes, timeout: float
) -> Response | NoResponse:
    """Send ``body`` and read the response.

    Args:
        client: the connection pool; it must not follow redirects.
        address: where to.
        body: JSON.
        timeout: for the whole exchange, in seconds. The client's own timeout is per read, and a server
            that sends a byte now and then would never meet it.
    """
    try:
        async with asyncio.timeout(timeout):
            headers = {"Content-Type": "application/json"}
            async with client.stream("POST", address, content=body, headers=headers) as response:
                received = bytearray()
                async for chunk in response.aiter_bytes():
                    received += chunk
                    if len(received) > MAX_BODY:
                        return Response(
                            response.status_code, response.headers, bytes(received[:MAX_BODY]), True
                        )
                return Response(response.status_code, response.headers, bytes(received))
    except httpx2.ConnectError as error:
        return NoResponse("unreachable", f"cannot connect ({_reason(error)})")
    except httpx2.ConnectTimeout:
        return NoResponse("unreachable", "cannot connect (no answer in time)")
    except (TimeoutError, httpx2.TimeoutException):
        return NoResponse("timeout", f"no complete reply within {timeout:g} s")
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        return NoResponse("broken", f"the connection broke ({_reason(error)})")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
