"""What tests of components share."""

from pathlib import Path

import pytest

from idr_assets_tests.support.image_project import ImageProject


@pytest.fixture
def project(tmp_path: Path) -> ImageProject:
    """Name a project that is not written yet."""
    return ImageProject(tmp_path)
