"""Which faults of a store may pass, and how the others are explained to the user."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from idr_assets.imaging.errors import CorruptBodyError, ForeignBodyError, ImageError, PageError
from idr_assets.imaging.store_text import show_address
from idr_assets.imaging.stores import clients

TRANSIENT_STATUS = {408, 425, 429}
"""Client errors that ask to try again; so does every 5xx."""

REFUSED = {401, 403}

CREDENTIALS = "Check the address, and the credentials in `storage_options`."
ANONYMOUS = "Give credentials in `storage_options`, or `{anon: true}` for a public bucket."
NETWORK = "Check the network and the address."
PROXY = "Check http_proxy, https_proxy and no_proxy."
LATER = "Try again later; if that does not help, check the address or tell the store's owner."


class AnswerError(ImageError):
    """A store answers that it does not give a key, which need not exist; `answer` says how it answers."""

    answer = ""


class RefusedError(AnswerError):
    """A store refuses a key, or sends a web page in its place, as some do for keys that do not exist."""


def read_faults() -> tuple[type[Exception], ...]:
    """Return the errors that a read raises; OSError includes timeouts, resets and the errors of s3fs."""
    return clients.aiohttp.ClientError, clients.botocore_errors.BotoCoreError, OSError, CorruptBodyError


def is_transient(error: BaseException) -> bool:
    """Return whether a read may succeed when it is tried again."""
    aiohttp, botocore = clients.aiohttp, clients.botocore_errors
    if status := status_of(error):
        return status in TRANSIENT_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    match error:
        case aiohttp.ClientConnectorDNSError():
            return error.errno == socket.EAI_AGAIN
        case aiohttp.ClientSSLError() | aiohttp.TooManyRedirects() | FileNotFoundError() | PermissionError():
            return False
    # A response without a status is bytes that are not HTTP; a payload that fails is a body that ends too early.
    web = aiohttp.ClientConnectionError, aiohttp.ClientResponseError, aiohttp.ClientPayloadError
    s3 = botocore.HTTPClientError, botocore.ConnectionError, botocore.IncompleteReadError
    return isinstance(error, (*web, *s3, OSError, CorruptBodyError))


def final_answer(error: BaseException) -> str | None:
    """Return an answer that is final when the store gives it twice; None for every other fault."""
    if isinstance(error, ForeignBodyError):
        return str(error)
    if isinstance(error, CorruptBodyError):
        return error.digest and f"{error} {error.digest}"
    return f"status {status_of(error)}" if _is_refusal(error) else None


def may_be_absence(error: BaseException) -> bool:
    """Return whether stores answer so for what they do not have."""
    return isinstance(error, ForeignBodyError) or _is_refusal(error)


def status_of(error: BaseException) -> int | None:
    """Return the status of the server's answer behind an error, None if there is no answer."""
    return _answer(error)[0]


def _answer(error: BaseException) -> tuple[int | None, Mapping[str, str]]:
    """Return status and headers of the server's answer; s3fs wraps those of S3 in an error of its own."""
    # For bytes that are not HTTP, aiohttp reports the status 400, with a cause.
    if isinstance(error, clients.aiohttp.ClientResponseError) and error.__cause__ is None:
        return error.status, error.headers or {}
    if isinstance(error.__cause__, clients.botocore_errors.ClientError):
        answer: dict[str, Any] = error.__cause__.response.get("ResponseMetadata", {})
        return answer.get("HTTPStatusCode"), answer.get("HTTPHeaders", {})
    return None, {}


def _is_refusal(error: BaseException) -> bool:
    return status_of(error) in REFUSED and not _of_proxy(error)


def _of_proxy(error: BaseException) -> bool:
    refused = isinstance(error, clients.aiohttp.ClientHttpProxyError)
    return refused or status_of(error) == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED


def retry_after(error: BaseException | None) -> float:
    """Return how many seconds the server asks to wait (RFC 9110, 10.2.3), 0 if it does not ask."""
    headers = _answer(error)[1] if error else {}
    value = headers.get("retry-after", "0")  # in lower case, as in botocore; aiohttp takes any
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # not a date, or a date without a time zone
        return 0.0


def read_error(error: Exception, url: str, tries: int) -> ImageError:
    """Explain why `url` cannot be read after so many tries. The message holds nothing secret."""
    what, remedy = _explain(error)
    often = f" ({tries} tries)" if tries > 1 else ""
    failure = _kind(error)(f"{show_address(url)} cannot be read{often}: {what}. {remedy}")
    if isinstance(failure, AnswerError):
        failure.answer = what
    return failure


def _kind(error: Exception) -> type[ImageError]:
    if isinstance(error, PageError) or _is_refusal(error):
        return RefusedError
    answered = status_of(error) and not is_transient(error) and not _of_proxy(error)
    return AnswerError if answered else ImageError


def _explain(error: Exception) -> tuple[str, str]:
    aiohttp, botocore, status = clients.aiohttp, clients.botocore_errors, status_of(error)
    kinds: tuple[tuple[bool | type[Exception], str, str], ...] = (
        (
            aiohttp.ClientSSLError,
            "its TLS certificate is not trusted",
            "Check the address and the date of this machine.",
        ),
        (_of_proxy(error), f"the proxy on the way to it answers with status {status}", PROXY),
        (aiohttp.ClientProxyConnectionError, "the proxy on the way to it does not answer", PROXY),
        (botocore.ProxyConnectionError, "the proxy on the way to it does not lead there", PROXY),
        (is_transient(error) and aiohttp.ClientConnectorDNSError, "its host cannot be looked up now", NETWORK),
        (aiohttp.ClientConnectorDNSError, "its host is not known here", NETWORK),
        (aiohttp.TooManyRedirects, "it redirects in a loop", "Check the address; the image may have moved."),
        (aiohttp.RedirectClientError, "it redirects to something that is not a web address", "Check the address."),
        (status in REFUSED, f"access is refused (status {status})", CREDENTIALS),
        (bool(status), f"the server answers with status {status}", LATER),
        (FileNotFoundError, "it does not exist", "Check the address."),
        (PermissionError, "access is refused", CREDENTIALS),
        (botocore.ParamValidationError, "it names no bucket of S3", "Write it as s3://BUCKET/PATH."),
        (aiohttp.InvalidURL, "it names no host", "Write it as https://HOST/PATH."),
        (botocore.NoCredentialsError, "there are no credentials for it", ANONYMOUS),
        (botocore.PartialCredentialsError, "its credentials are not complete", CREDENTIALS),
        (TimeoutError, "the answer takes too long", LATER),
        (CorruptBodyError, f"the body is not what the store holds: {error}", LATER),
        (aiohttp.ClientResponseError, "the answer is not HTTP", LATER),
        (aiohttp.ClientPayloadError, "the body ends too early", LATER),
        (Exception, f"the connection fails ({type(error).__name__})", NETWORK),
    )
    return next((what, remedy) for kind, what, remedy in kinds if kind is True or (kind and isinstance(error, kind)))
