"""Load the `defs` folder of a project; one broken YAML costs only what it defines."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from pydoc import ErrorDuringImport, locate

import dagster as dg

BROKEN_YAML = "IDR_ASSETS_BROKEN_YAML"
"""Variable; `skip` leaves out what a broken YAML defines. Unset, as in Dagster's own commands, the load fails."""

NOT_LOADED: dict[str, str] = {}
"""Why a YAML was left out of the last load, by the name of its folder."""

TYPE = re.compile(r"""^type:\s*["']?(\w[\w.]*)""", re.MULTILINE)


def load_project(path_within_project: Path) -> dg.Definitions:
    """Load what stands below the `defs` folder of a project, as Dagster does.

    Where the environment says so, as in the processes of `idr-assets`, a YAML or module that cannot be loaded is logged
    and left out. Dagster itself reads all YAML files before it loads any: one that is no YAML, or that names a
    component that does not exist, keeps all from loading. Modules beside `pyproject.toml` become importable, which they
    are not in Dagster's own commands.
    """
    _find_modules_beside(path_within_project)
    try:
        return dg.load_from_defs_folder(path_within_project=path_within_project)
    except Exception as error:
        if os.environ.get(BROKEN_YAML) != "skip":
            raise
        return _load_others(dg.ComponentTree.for_project(path_within_project), error)


def _find_modules_beside(path_within_project: Path) -> None:
    folders = path_within_project.absolute().parents
    folder = next((str(each) for each in folders if (each / "pyproject.toml").exists()), None)
    if folder and folder not in sys.path:
        sys.path.append(folder)


def _load_others(tree: dg.ComponentTree, error: Exception) -> dg.Definitions:
    """Load each part alone; raise the first error if none can be loaded."""
    NOT_LOADED.clear()
    loaded, left_out, log = [], dict[Path, str](), dg.get_dagster_logger("idr_assets")
    for part in _parts(tree.defs_module_path):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # as `load_from_defs_folder` does
                loaded.append(tree.build_defs(part))
        except Exception as fault:  # noqa: BLE001  whatever the part does
            left_out[part] = NOT_LOADED[part.stem] = f"{fault.__cause__ or fault}"
    if not loaded:
        unknown = " ".join(_unknown_components(tree.defs_module_path))
        message = "Dagster reads all YAML files before it loads any, and one cannot be read, so nothing is loaded."
        log.error("%s %s", message, unknown)
        raise error
    for part, why in left_out.items():
        log.error("%s is not loaded, all else is: %s", part, why)
    return dg.Definitions.merge(*loaded)


def _unknown_components(folder: Path) -> Iterator[str]:
    """Name the YAML files whose component does not exist: Dagster's error says what is missing, but not where."""
    for path in sorted(folder.rglob("defs.y*ml")):
        for name in TYPE.findall(path.read_text(errors="replace")):
            with suppress(ErrorDuringImport):
                if locate(name) is None:
                    yield f"{path}: there is no component {name!r}; correct its `type`."


def _parts(folder: Path) -> Iterator[Path]:
    """Yield the folders with a YAML, and the modules beside them."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith((".", "__")):
            yield from [path] if (path / "defs.yaml").exists() else _parts(path)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield path
