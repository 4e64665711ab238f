"""The command `idr-assets init`: a new project around the installed package."""

import keyword
import shutil
from importlib.util import find_spec
from pathlib import Path

import click

PACKAGE = Path(__file__).parents[1]

COPIED = ["defs/dask/defs.yaml", "defs/demo/defs.yaml", "defs/synthetic_embryo.py"]
"""Files of this package that a new project starts with."""

PYPROJECT = """[project]
name = "{name}"
version = "0.0.1"
dependencies = ["idr_assets"]

[tool.dg]
directory_type = "project"

[tool.dg.cli]
suppress_warnings = ["project_and_activated_venv_mismatch"]

[tool.dg.project]
root_module = "{name}"
registry_modules = ["idr_assets"]
code_location_target_module = "{name}.definitions"
code_location_name = "{name}.definitions"
"""

DEFINITIONS = '''"""Entry point of the Dagster code location: loads what stands below `defs/`."""

from functools import cache
from pathlib import Path

import dagster as dg

from idr_assets import load_project


@dg.definitions
@cache  # a run asks several times
def defs() -> dg.Definitions:
    """Load every image and shared resource."""
    return load_project(Path(__file__).parent)
'''

NEXT = """{folder} is a project now. Next:
  cd {folder}
  export DAGSTER_HOME=$PWD/.dagster_home
  dg launch --job segment_demo       # the demo image: data/demo/montage.png
  idr-assets add my_image ADDRESS --look
  idr-assets ui
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a new project in FOLDER, with the demo image.

    The name of the folder becomes the name of its Python package.
    """
    name = folder.resolve().name
    _check(folder, name)
    package = folder / name
    for file in COPIED:
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / file, package / file)
    for path, text in {"__init__.py": "", "defs/__init__.py": "", "definitions.py": DEFINITIONS}.items():
        (package / path).write_text(text)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name))
    (folder / ".dagster_home").mkdir()
    shutil.copyfile(PACKAGE / "dagster.yaml", folder / ".dagster_home/dagster.yaml")
    (folder / ".gitignore").write_text("/data/\n/.dagster_home/*\n!/.dagster_home/dagster.yaml\n__pycache__/\n")
    click.echo(NEXT.format(folder=folder), nl=False)


def _check(folder: Path, name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name) or find_spec(name):
        message = f"{name!r} cannot name a new Python package, so nothing was written. Choose another: my_images."
        raise click.ClickException(message)
    if folder.exists() and any(folder.iterdir()):
        message = f"{folder} is not empty, so nothing was written. Name a new folder."
        raise click.ClickException(message)
