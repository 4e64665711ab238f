"""The machine that was measured, without its name or paths."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("idr_assets", "dagster", "dask", "dask-image", "distributed", "fsspec", "aiohttp", "zarr", "scipy", "numpy")


def machine() -> dict[str, str]:
    """Tell what the machine and its software are, and how busy others kept it in the last minute."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{package} {version(package)}" for package in PACKAGES),
    }


def today() -> dict[str, str]:
    """Tell the date, for pages that are measured by themselves."""
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}"}


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
