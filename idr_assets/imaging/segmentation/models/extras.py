"""Packages that only some functions need."""

from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any


class MissingExtraError(ImportError):
    """A package that a function needs is not installed; the message names the command that installs it."""


def import_extra(module: str, extra: str) -> Any:  # noqa: ANN401  whatever the module holds
    """Import a module that comes with an extra of this package; raise `MissingExtraError` if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        message = (
            f"{module} cannot be imported ({error}), so no planes are segmented. It comes with an extra: "
            f'`pip install "idr_assets[{extra}]"`, on the machines of all workers.'
        )
        raise MissingExtraError(message) from error


def find_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed here."""
    found = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
