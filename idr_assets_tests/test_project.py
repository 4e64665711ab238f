"""The project's frame: rooms, lock, Makefile and what Dagster's own checks say. Nothing of pixels or runs."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from idr_assets_tests.support.dagster_home import BIN, ROOT, dagster_home

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()

MAIN = "from idr_assets.command_line import main; main"

IMPORT_IMAGING = """
import importlib, pkgutil, sys
import idr_assets.imaging as imaging
for module in pkgutil.walk_packages(imaging.__path__, "idr_assets.imaging."):
    importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if name.startswith(("dagster", "idr_assets.orchestration"))))
"""

LOAD_DEFINITIONS = """
import sys
def watch(event, arguments):
    network = event.startswith("socket.") or event == "urllib.Request"
    image = event == "open" and (".zarr" in str(arguments[0]) or str(arguments[0]).endswith(("zarr.json", ".zattrs")))
    if network or image:
        print(event, *arguments)
sys.addaudithook(watch)
import dagster as dg
from idr_assets.definitions import defs
dg.Definitions.validate_loadable(defs())
heavy = {"dask", "distributed", "matplotlib", "pandas", "pyarrow", "scipy.ndimage", "skimage.measure", "zarr"}
print(*heavy & sys.modules.keys() | {name for name in sys.modules if ".assets.work." in name}, end="")
"""
"""Prints what it asks of the network, the images it opens, and what it imports that only runs need."""


def run(
    *command: str | Path, cwd: Path = ROOT, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `command` as a user would, outside of any make that runs the tests."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))} | environment
    return subprocess.run(  # noqa: S603
        command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """Give a folder whose `python3` says that it is 3.11.7."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    pretend = "import sys; sys.version_info = (3, 11, 7); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{pretend}" "$2"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return python.parent


def test_imaging_imports_no_dagster() -> None:
    imported = run(sys.executable, "-c", IMPORT_IMAGING)
    assert (imported.returncode, imported.stdout.split()) == (0, []), imported.stderr


def test_the_list_of_commands_needs_neither_dagster_nor_zarr() -> None:
    heavy = "print([name for name in ('dagster', 'sqlalchemy', 'numpy', 'zarr') if name in sys.modules])"
    told = run(sys.executable, "-c", f"import sys, atexit; atexit.register(lambda: {heavy}); {MAIN}(['--help'])")
    assert told.stdout.endswith("  wipe     Delete the labels of planes.\n[]\n"), told.stderr


def test_linter_refuses_dagster_in_imaging_only() -> None:
    ruff = [str(BIN / "ruff"), "check", "--select=TID251", "--stdin-filename"]
    refused = [
        run(*ruff, f"idr_assets/{room}/new.py", "-", stdin="import dagster as dg\n").returncode == 1
        for room in ("imaging", "orchestration")
    ]
    assert refused == [True, False]


RUNS_CODE = [
    "import pickle\n", "import numpy as np\nnp.load('a', allow_pickle=True)\n", "from numpy import load\n",
    "import yaml\nyaml.load('', yaml.UnsafeLoader)\n", "eval(input())\n", "exec(input())\n",
    "import subprocess\nsubprocess.run(input(), shell=True)\n", "import os\nos.system(input())\n",
]  # fmt: skip


@pytest.mark.parametrize("code", RUNS_CODE)
def test_linter_refuses_what_runs_code_of_others(code: str) -> None:
    ruff = [str(BIN / "ruff"), "check", "--select=S,TID251", "--ignore-noqa"]
    assert run(*ruff, "--stdin-filename", "idr_assets/imaging/new.py", "-", stdin=code).returncode == 1


def test_the_package_runs_no_code_of_others_and_silences_no_warning_of_it() -> None:
    checked = run(BIN / "ruff", "check", "--select=S,TID251", "--ignore-noqa", "idr_assets")
    assert checked.returncode == 0, checked.stdout


def test_loading_definitions_opens_no_socket_and_no_image_and_imports_little() -> None:
    loaded = run(sys.executable, "-c", LOAD_DEFINITIONS)
    assert (loaded.returncode, loaded.stdout) == (0, ""), loaded.stderr


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("dg check defs", "All definitions loaded successfully."),
        ("dg list components", "idr_assets.SegmentedImage"),
        ("dagster definitions validate -w workspace.yaml", "Validation successful for code location idr_assets."),
    ],
)
def test_dagster_finds_the_definitions_without_network(command: str, expected: str, tmp_path: Path) -> None:
    with dagster_home(tmp_path) as home:
        code, output = home.run(command)
        assert (code, home.refused) == (0, []), output
    assert expected in output
    assert not (tmp_path / ".telemetry").exists()


def test_no_registry_and_no_machine_in_the_files() -> None:
    registries = [("pypi", "org"), ("pythonhosted", "org"), ("deb.debian", "org"), ("registry.npmjs", "org")]
    hosts = "|".join(re.escape(".".join(host)) for host in registries)
    machine = r"(?<![\w.])/(?:work|farm|root)/"
    files = run("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    assert files.returncode == 0, files.stderr
    paths = [ROOT / name for name in files.stdout.split("\0") if (ROOT / name).is_file()]
    assert len(paths) > 1
    assert [path for path in paths if re.search(f"{hosts}|{machine}", path.read_bytes().decode(errors="replace"))] == []


def test_lock_has_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert all(re.match(r"[\w.-]+==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "://" not in lock


def test_lock_fits_what_the_project_asks_for() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    asked = [Requirement(text) for text in PYPROJECT["project"]["dependencies"] + PYPROJECT["dependency-groups"]["dev"]]
    missing = [str(r) for r in asked if not r.specifier.contains(Version(locked.get(r.name.lower(), "0")))]
    assert missing == []


def test_the_version_stands_in_one_place() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## (\d\S*)", changelog, re.MULTILINE)
    assert released[0] == PYPROJECT["project"]["version"] == version("idr_assets")
    code = [path for path in (ROOT / "idr_assets").rglob("*.py") if re.search(re.escape(released[0]), path.read_text())]
    assert code == []


def test_make_alone_lists_every_target() -> None:
    targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    listed = re.findall(r"^  make ([a-z-]+) +\S", run("make").stdout, re.MULTILINE)
    assert phony is not None
    assert listed == targets == phony[1].split()


def test_make_refuses_an_old_python_before_it_installs(old_python: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    made = run("make", "demo", cwd=tmp_path, PATH=f"{old_python}:{os.environ['PATH']}")
    assert made.returncode != 0
    assert "idr_assets needs Python 3.12 or newer; python3 is 3.11.7" in made.stderr
    assert "make PYTHON=python3.13 demo" in made.stderr
    assert not (tmp_path / ".venv").exists()
