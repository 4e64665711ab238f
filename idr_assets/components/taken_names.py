"""The names of images and lists of a project: each is taken once, because assets and outputs are named by it."""

from pathlib import Path
from weakref import WeakKeyDictionary

import dagster as dg

_TAKEN: WeakKeyDictionary[object, dict[str, tuple[object, Path]]] = WeakKeyDictionary()
"""The names taken so far in each load of a project, with whom has them and where."""


def take_name(name: str, owner: object, context: dg.ComponentLoadContext) -> Path | None:
    """Take a name for a component, the owner; if another component has it, return the YAML of that one."""
    names = _TAKEN.setdefault(context.component_tree.state_tracker, {})
    first, folder = names.setdefault(name, (owner, context.path))
    return None if first is owner else folder / "defs.yaml"
