"""The package as others install it: built as a wheel, in an environment and a project of its own."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from click.testing import CliRunner

from idr_assets.command_line import main
from idr_assets_tests.support.dagster_home import ROOT

DG = "from dagster_dg_cli.cli import main; main()"

OPENED = """
import idr_assets
assert "site-packages" in idr_assets.__file__, idr_assets.__file__
print(idr_assets.open_labels("demo")[1, 0, 3].compute().max() > 0)
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603
        command, cwd=cwd, env={"PATH": "/usr/bin:/bin", "HOME": str(cwd)} | environment, capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, and install it alone into an environment that finds its dependencies in that of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    uv = Path(sys.executable).with_name("uv")
    source = folder / "source"  # hatchling leaves nothing in the folder of the project
    shutil.copytree(
        ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(".venv", ".git", "data", "site", ".*cache")
    )
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=source)
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv/bin/python"
    run(
        uv, "pip", "install", "--quiet", "--no-deps", "--offline", "--python", python, *folder.glob("*.whl"), cwd=folder
    )
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    (site / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    return python


def test_two_commands_from_pip_to_a_montage(python: Path, tmp_path: Path) -> None:
    idr_assets = python.with_name("idr-assets")
    assert "dg launch --job segment_demo" in run(idr_assets, "init", "my_images", cwd=tmp_path)
    project = tmp_path / "my_images"
    home = {"DAGSTER_HOME": str(project / ".dagster_home")}
    run(python, "-c", DG, "launch", "--job", "segment_demo", cwd=project, **home)
    assert (project / "data/demo/montage.png").exists()
    assert run(python, "-c", OPENED, cwd=project / "my_images") == "True\n"


WRONG = {"json": "'json' cannot name a new Python package", "a-b": "'a-b' cannot name", "full": "is not empty"}


@pytest.mark.parametrize(("folder", "message"), WRONG.items())
def test_folders_that_cannot_become_a_project(tmp_path: Path, folder: str, message: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    made = CliRunner().invoke(main, ["init", str(tmp_path / folder)])
    assert (made.exit_code, message in made.stderr) == (1, True)
    assert not list(tmp_path.rglob("*.toml"))
