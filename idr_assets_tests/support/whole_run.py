"""Run both jobs of the project in a folder, in a process whose environment is the caller's: `python -m ... FOLDER`."""

import sys
from pathlib import Path

import dagster as dg

from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import Segmented

if __name__ == "__main__":
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        sys.exit(not Segmented(ImageProject(Path(sys.argv[1])), instance).run_jobs())
