"""Verify bodies by the checksums that a store sends with them: neither blosc nor OME-Zarr has one."""

import hashlib
import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any

import google_crc32c

from idr_assets.imaging.errors import CorruptBodyError
from idr_assets.imaging.stores.answers import Answer

ALGORITHMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32c": lambda body: google_crc32c.value(body).to_bytes(4, "big"),
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
}
"""The checksums that stores send, the fastest first."""

LISTS = "x-goog-hash", "repr-digest", "digest"
"""Headers with several checksums, `<name>=<checksum>`; those with one are `Content-MD5` and `x-amz-checksum-<name>`."""

ENOUGH = 2
"""Bodies that must agree with their ETags before an ETag counts as MD5: the first documents of an image do."""


class StoreChecksums:
    """What a store sends as checksums of its objects.

    Attributes
    ----------
    found : str or None
        By what the last body was verified, None if the store sent nothing.

    """

    def __init__(self) -> None:
        """Know of none yet."""
        self.found: str | None = None
        self._agreed = 0  # ETags that are the MD5 of their bodies, -1 after one that is not

    def verify(self, answer: Answer) -> None:
        """Raise `CorruptBodyError` where a whole body does not agree with a checksum that came with it."""
        if not answer.sent:
            return
        self.found = None
        name, checksum = find_checksum(answer.headers)
        if not name and self._agreed >= 0:
            name, checksum = self._read_etag(answer)
        if not name:
            return
        self.found = name
        if ALGORITHMS[name](answer.sent) != checksum:
            message = f"it does not agree with the {name.upper()} that the store sends with it"
            raise CorruptBodyError(message)

    def _read_etag(self, answer: Answer) -> tuple[str, bytes]:
        """Read an ETag that is an MD5, once the first ones were: it is one of objects that were put in one part."""
        found = re.fullmatch(r'"?([0-9a-f]{32})"?', answer.headers.get("etag", ""))
        if not found:
            return "", b""
        checksum = bytes.fromhex(found[1])
        if self._agreed < ENOUGH:
            self._agreed = self._agreed + 1 if ALGORITHMS["md5"](answer.sent) == checksum else -1
        return ("md5", checksum) if self._agreed >= ENOUGH else ("", b"")


def find_checksum(headers: Mapping[str, str]) -> tuple[str, bytes]:
    """Find the name and the value of the fastest checksum of a body as it was sent; both are empty without one."""
    found = {name: headers.get(f"x-amz-checksum-{name}", "") for name in ALGORITHMS}
    found["md5"] = headers.get("content-md5", "")
    for header in LISTS:
        for item in _all(headers, header).split(","):
            name, _, value = item.strip().partition("=")
            found[name.lower().replace("-", "")] = value.strip(":")
    if headers.get("x-goog-stored-content-encoding", "identity") != headers.get("content-encoding", "identity"):
        return "", b""  # Google decoded it on the way
    for name in ALGORITHMS:
        try:
            if found[name]:
                return name, b64decode(found[name], validate=True)
        except Base64Error:  # that of an object put in several parts, which is of their checksums
            continue
    return "", b""


def _all(headers: Mapping[str, str], name: str) -> str:
    """Join the headers of a name: aiohttp keeps each, botocore has them joined."""
    several: Any = headers
    return ",".join(several.getall(name, [])) if hasattr(headers, "getall") else headers.get(name, "")
