"""Which faults of a store pass by themselves, and what to tell the user of those that do not."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from idr_assets.imaging.errors import CorruptBodyError, ImageError
from idr_assets.imaging.store_text import show_address
from idr_assets.imaging.stores import clients

TRANSIENT_STATUS = {408, 425, 429}
"""Client errors that ask to try again; so does every 5xx."""

SERVER_ERROR = 500

REFUSED = {401, 403}

CREDENTIALS = "Check the address, and the credentials in `storage_options`."
ANONYMOUS = "Give credentials in `storage_options`, or `{anon: true}` for a public bucket."
NETWORK = "Check the network and the address."
PROXY = "Check http_proxy, https_proxy and no_proxy."
LATER = "Try again later; if it stays, check the address or tell the store's owner."


def read_faults() -> tuple[type[Exception], ...]:
    """Give what a read raises: OSError holds timeouts, resets and what s3fs makes of S3's answers."""
    return clients.aiohttp.ClientError, clients.botocore_errors.BotoCoreError, OSError, CorruptBodyError


def is_transient(error: BaseException) -> bool:
    """Tell whether a read may succeed when it is tried again."""
    if status := status_of(error):
        return status in TRANSIENT_STATUS or status >= SERVER_ERROR
    match error:
        case clients.aiohttp.ClientConnectorDNSError():
            return error.errno == socket.EAI_AGAIN
        case (
            clients.aiohttp.ClientSSLError()
            | clients.aiohttp.TooManyRedirects()
            | FileNotFoundError()
            | PermissionError()
        ):
            return False
        case (
            clients.botocore_errors.HTTPClientError()
            | clients.botocore_errors.ConnectionError()
            | clients.aiohttp.ClientConnectionError()
            | OSError()
            | CorruptBodyError()
        ):
            return True
        case clients.aiohttp.ClientResponseError() | clients.aiohttp.ClientPayloadError():
            return True  # bytes that are no HTTP; a body that ends too early
        case _:
            return False


def status_of(error: BaseException) -> int | None:
    """Give the status of the server's answer that an error tells of, None where there was none."""
    return _answer(error)[0]


def _answer(error: BaseException) -> tuple[int | None, Mapping[str, str]]:
    """Give status and headers of the server's answer, those of S3 from behind what s3fs makes of them."""
    # Of bytes that are no HTTP aiohttp says the status 400, with a cause.
    if isinstance(error, clients.aiohttp.ClientResponseError) and error.__cause__ is None:
        return error.status, error.headers or {}
    if isinstance(error.__cause__, clients.botocore_errors.ClientError):
        answer: dict[str, Any] = error.__cause__.response.get("ResponseMetadata", {})
        return answer.get("HTTPStatusCode"), answer.get("HTTPHeaders", {})
    return None, {}


def retry_after(error: BaseException | None) -> float:
    """Seconds that the server asks to wait (RFC 9110, 10.2.3), 0 where it does not."""
    headers = _answer(error)[1] if error else {}
    value = headers.get("retry-after", "0")  # in lower case as botocore has it; aiohttp takes any
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # no date, or one without a time zone
        return 0.0


def read_error(error: Exception, url: str, tries: int) -> ImageError:
    """Explain why `url` could not be read after so many tries. Nothing secret is in the message."""
    what, remedy = _explained(error)
    often = f" ({tries} tries)" if tries > 1 else ""
    return ImageError(f"{show_address(url)} cannot be read{often}: {what}. {remedy}")


def _explained(error: Exception) -> tuple[str, str]:

    status = status_of(error)
    kinds: tuple[tuple[bool | type[Exception], str, str], ...] = (
        (
            clients.aiohttp.ClientSSLError,
            "its TLS certificate is not trusted",
            "Check the address and the date of this machine.",
        ),
        (clients.aiohttp.ClientHttpProxyError, f"the proxy on the way to it answers with status {status}", PROXY),
        (clients.aiohttp.ClientProxyConnectionError, "the proxy on the way to it does not answer", PROXY),
        (is_transient(error) and clients.aiohttp.ClientConnectorDNSError, "its host cannot be looked up now", NETWORK),
        (clients.aiohttp.ClientConnectorDNSError, "its host is not known here", NETWORK),
        (clients.aiohttp.TooManyRedirects, "it redirects in a loop", "Check the address; the image may have moved."),
        (clients.aiohttp.RedirectClientError, "it redirects to what is no web address", "Check the address."),
        (status in REFUSED, f"access is refused (status {status})", CREDENTIALS),
        (
            status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
            "the proxy on the way to it answers with status 407",
            PROXY,
        ),
        (bool(status), f"the server answers with status {status}", LATER),
        (FileNotFoundError, "it is not there", "Check the address."),
        (PermissionError, "access is refused", CREDENTIALS),
        (clients.botocore_errors.NoCredentialsError, "there are no credentials for it", ANONYMOUS),
        (clients.botocore_errors.PartialCredentialsError, "its credentials are not complete", CREDENTIALS),
        (TimeoutError, "the answer takes too long", LATER),
        (CorruptBodyError, f"the body is not what the store holds: {error}", LATER),
        (clients.aiohttp.ClientResponseError, "the answer is no HTTP", LATER),
        (clients.aiohttp.ClientPayloadError, "the body ends too early", LATER),
        (Exception, f"the connection fails ({type(error).__name__})", NETWORK),
    )
    return next((what, remedy) for kind, what, remedy in kinds if kind is True or (kind and isinstance(error, kind)))
