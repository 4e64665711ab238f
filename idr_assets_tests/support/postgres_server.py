"""A PostgreSQL server of the tests' own, on this machine only; its files are gone with it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"


SETTINGS = """
run_storage: {{module: dagster_postgres, class: PostgresRunStorage, config: {{postgres_url: {url}}}}}
schedule_storage: {{module: dagster_postgres, class: PostgresScheduleStorage, config: {{postgres_url: {url}}}}}
event_log_storage:
  module: idr_assets.orchestration.event_log.postgres
  class: BatchedPostgresEventLogStorage
  config: {{postgres_url: {url}}}
"""
"""What dagster.yaml says of storage in a database at a `url`."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server on a free port of 127.0.0.1 and give its address, to which the name of a database is added.

    Raises `FileNotFoundError` where PostgreSQL is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        message = "no PostgreSQL: apt-get install postgresql"
        raise FileNotFoundError(message)
    binaries = found[-1].parent
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TemporaryDirectory(prefix="postgres") as folder:
        control: list[str | Path] = [binaries / "pg_ctl", "--pgdata", f"{folder}/data", "--wait"]
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} {QUICK}"
        _run(folder, *control, "init", "--options", "--username=dagster --auth=trust --no-sync --encoding=UTF8")
        _run(folder, *control, "start", "--log", f"{folder}/log", "--options", options)
        try:
            yield f"postgresql+psycopg2://dagster@127.0.0.1:{port}"
        finally:
            _run(folder, *control, "stop", "--mode", "fast")


def _run(folder: str, *command: str | Path) -> None:
    """Run a program in the folder; root hands it to Debian's user `postgres`, since the server refuses root."""
    other = "postgres" if os.geteuid() == 0 else None
    if other:
        shutil.chown(folder, other, other)
    groups: list[str] | None = [] if other else None
    subprocess.run(  # noqa: S603
        command, cwd=folder, user=other, group=other, extra_groups=groups, stdout=subprocess.DEVNULL, check=True
    )
