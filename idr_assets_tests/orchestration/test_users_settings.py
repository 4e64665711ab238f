"""What variables and files of a user's machine say of our libraries changes nothing that a run stores."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import zarr

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import FIELDS, PIXELS, PLANES
from idr_assets_tests.support.store_server import StoreServer
from idr_assets_tests.support.stored_files import digests

SETTINGS: Final = {
    "DASK_ARRAY__BACKEND": "cupy",
    "DASK_ARRAY__CHUNK_SIZE": "1B",
    "DASK_ARRAY__SLICING__SPLIT_LARGE_CHUNKS": "True",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_OPTIMIZATION__FUSE__ACTIVE": "False",
    "DASK_SCHEDULER": "processes",
    "DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:1",
    "DASK_TOKENIZE__ENSURE_DETERMINISTIC": "True",
    "FSSPEC_FILE": '{"auto_mkdir": false, "use_listings_cache": true}',
    "FSSPEC_HTTP": '{"cache_type": "none", "block_size": 1, "use_listings_cache": true, "simple_links": false}',
    "FONTCONFIG_FILE": "/dev/null",  # a machine without fonts
    "LC_ALL": "C",
    "LANGUAGE": "tr_TR",
    "MPLBACKEND": "nonsense",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "SCIPY_ARRAY_API": "1",
    "ZARR_ARRAY__ALLOW_UNSAFE_PICKLE_DECODE": "True",
    "ZARR_ARRAY__ORDER": "F",
    "ZARR_ARRAY__READ_MISSING_CHUNKS": "True",
    "ZARR_ARRAY__WRITE_EMPTY_CHUNKS": "False",
    "ZARR_ASYNC__CONCURRENCY": "1",
    "ZARR_ASYNC__TIMEOUT": "0.000001",
    "ZARR_BUFFER": "zarr.buffer.gpu.Buffer",
    "ZARR_CODECS__ZSTD": "nowhere.Zstd",
    "ZARR_CODEC_PIPELINE__PATH": "nowhere.Pipeline",
    "ZARR_DEFAULT_ZARR_FORMAT": "2",
    "ZARR_NDBUFFER": "zarr.buffer.gpu.NDBuffer",
    "ZARR_THREADING__MAX_WORKERS": "1",
}
"""What a machine may say, by variables: what changes or fails a run by itself, and what is left to the user."""

DASK: Final = """\
array: {rechunk: {method: p2p}}
num_workers: 0
pool: nonsense
distributed:
  admin: {event-loop: nonsense, system-monitor: {interval: 1us}, tick: {cycle: 1us, interval: 1ms}}
  client: {direct-to-workers: true, heartbeat: 365 days, security-loader: nowhere.load}
  comm:
    compression: nonsense
    default-scheme: nowhere
    retry: {count: 1000, delay: {min: 1h, max: 1h}}
    timeouts: {connect: 1us, tcp: 1us}
  dashboard: {link: "http://192.0.2.1/{nonsense}"}
  deploy: {lost-worker-timeout: 1us}
  diagnostics: {computations: {ignore-modules: ["("]}}
  scheduler:
    allowed_failures: nonsense
    blocked-handlers: [heartbeat_worker, register-client]
    contact-address: tcp://192.0.2.1:1
    http: {routes: [nowhere]}
    idle-timeout: 1us
    no-workers-timeout: 1us
    pickle: false
    unknown-task-duration: 365 days
    work-stealing: false
    worker-saturation: 0.01
    worker-ttl: 1us
  worker:
    blocked-handlers: [compute-task, ping]
    connections: {incoming: 0, outgoing: 0}
    daemon: false
    http: {routes: [nowhere]}
    lifetime: {duration: 1us}
    memory: {max-spill: 1, monitor-interval: 1ms, pause: 1.0e-6, spill: 1.0e-6, target: 1.0e-6, terminate: 1.0e-6}
    multiprocessing-method: fork
    profile: {cycle: 1us, enabled: true, interval: 1us}
    resources: {GPU: 1}
"""
"""What ends or stalls a cluster on this machine."""

FILES: Final = {
    "dask/dask.yaml": DASK,
    "fsspec/http.json": json.dumps({"http": {"listings_expiry_time": 9}}),
    "matplotlib/matplotlibrc": "image.origin: lower\ntext.usetex: True\nfont.family: monospace\n",
    "zarr/zarr.yaml": "codec_pipeline: {batch_size: 7}\n",
}


def settings(folder: Path) -> dict[str, str]:
    """Write the files of a user's configuration, and give all variables."""
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(content)
    places = {
        "DASK_CONFIG": "dask", "FSSPEC_CONFIG_DIR": "fsspec", "MPLCONFIGDIR": "matplotlib", "ZARR_CONFIG": "zarr",
        "XDG_DATA_HOME": "none", "XDG_DATA_DIRS": "none",
    }  # fmt: skip
    return SETTINGS | {name: str(folder / place) for name, place in places.items()}


def stored_by_a_run(root: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Run both jobs of a project, and give a digest of each file that they wrote; the folder is then gone."""
    foreign = ("DASK_", "FSSPEC_", "IDR_ASSETS_", "LC_", "MPL", "ZARR_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "idr_assets_tests.support.whole_run", str(root)],
        cwd=ROOT, env=clean | dict(variables), capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    data = root / "data"
    stored = digests(data)
    shutil.rmtree(data)
    return stored


def test_no_setting_of_the_machine_changes_a_byte_of_a_run(tmp_path: Path) -> None:
    write_image(tmp_path / "served/source.zarr", PIXELS, version="0.4")
    project = ImageProject(tmp_path / "project")
    with StoreServer(tmp_path / "served") as server:
        project.write(**FIELDS | {"url": f"{server.url}/source.zarr"})
        wanted, hostile = stored_by_a_run(project.root, {}), settings(tmp_path / "config")
        for form in ("in_process", "processes"):
            cluster = project.package / "defs/dask/defs.yaml"
            cluster.write_text(f"type: idr_assets.DaskCluster\nattributes: {{cluster: {form}, workers: 1}}\n")
            found = stored_by_a_run(project.root, hostile)
            assert [name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)] == []
    assert len(wanted) > 2 * len(PLANES)


def test_settings_of_the_user_are_back_when_nobody_is_at_work() -> None:
    with zarr.config.set({"array.order": "F", "codecs": {}}):
        with suppress(ZeroDivisionError), own_settings:
            with own_settings:
                pass
            assert zarr.config.get("array.order") == "C"
            assert "zstd" in zarr.config.get("codecs")
            raise ZeroDivisionError
        assert (zarr.config.get("array.order"), zarr.config.get("codecs")) == ("F", {})
