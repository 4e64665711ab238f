"""Encryption of what travels to a dask cluster: TLS from the YAML, and a warning without it."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

ENCRYPTED = {"tls", "wss", "inproc"}
"""Protocols of dask that nobody can read on the way."""


def secure(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the fields of `security`, if there are any, into a `distributed.Security`.

    Raises
    ------
    FileNotFoundError
        If a certificate is missing.
    ValueError
        If dask does not know a field.

    """
    fields = arguments.get("security")
    if not isinstance(fields, Mapping):
        return dict(arguments)
    for name, path in _files(fields).items():
        if not Path(path).is_file():
            message = (
                f"The file {path}, `{name}` of the dask cluster, does not exist, so no connection can be encrypted and "
                "no planes are segmented. Create it, or correct its path in `security`."
            )
            raise FileNotFoundError(message)
    from distributed import Security  # noqa: PLC0415  for the run only, as all of dask

    try:
        return {**arguments, "security": Security(**fields)}
    except (TypeError, ValueError) as error:
        message = (
            f"`security` of the dask cluster, with the fields {list(fields)}, cannot be used, so no planes can be "
            f"segmented: {error}. Write `tls_ca_file`, `tls_client_cert`, `tls_client_key` and `require_encryption`."
        )
        raise ValueError(message) from error


def check_preloads(arguments: Mapping[str, Any]) -> None:
    """Raise `ValueError` if dask would download code: an argument may only name code that is installed."""
    for name, value in arguments.items():
        if name.startswith("preload") and "http" in str(value):
            message = (
                f"`{name}` of the dask cluster names a web address, and its code would run, so no planes are "
                "segmented. Install that code, and name its module."
            )
            raise ValueError(message)
        if isinstance(value, Mapping):
            check_preloads(value)


def locate_certificates(arguments: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make relative paths of certificates relative to `folder`, that of the YAML."""
    fields = arguments.get("security")
    if not isinstance(fields, Mapping):
        return dict(arguments)
    return {**arguments, "security": {**fields, **{name: str(folder / path) for name, path in _files(fields).items()}}}


def warn_if_readable(address: str) -> None:
    """Warn about a scheduler on another machine without encryption."""
    parts = urlsplit(address)
    if parts.scheme not in ENCRYPTED and not _is_loopback(parts.hostname or ""):
        dg.get_dagster_logger().warning(
            "The dask scheduler %s is reached without TLS: pixels and code travel unencrypted and unauthenticated, and "
            "whoever reaches the scheduler can run code on its workers. Start it with certificates, and write its "
            "tls:// address and `arguments: {security: ...}`.",
            address,
        )


def _files(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that are paths; a text of several lines is the certificate itself."""
    names = (name for name in fields if name.startswith("tls_") and name.endswith(("_file", "_cert", "_key")))
    return {name: fields[name] for name in names if isinstance(fields[name], str) and "\n" not in fields[name]}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
