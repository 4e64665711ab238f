"""Commands on the demo image, by the project's definitions and by the same with empty bodies."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.costs import LAUNCHED, Cost, measured_home
from idr_assets_tests.support.dagster_home import DagsterHome

COMMANDS = {
    "segment_demo": (100, "job execute -m {} -j segment_demo"),
    "one plane": (1, "asset materialize -m {} --select demo/plane_labels --partition '05|07'"),
}
"""The planes and the words of each command, for a module of definitions."""

MODULES = {"empty bodies": "benchmarks.emptied", "ours": "idr_assets.definitions"}

EVENT_LOGS = {
    "the project's event log": (None, [*COMMANDS]),
    "Dagster's own event log": ("telemetry: {enabled: false}\n", ["segment_demo"]),  # a plane has few events
}
"""The settings of an instance with this event log, None for the project's, and the commands that are measured on it."""


@contextmanager
def demo_home(event_log: str) -> Iterator[DagsterHome]:
    """Give an instance with an event log of `EVENT_LOGS`, on which the demo was segmented once."""
    settings, _ = EVENT_LOGS[event_log]
    with measured_home() as home:
        if settings:
            (home.path / "dagster.yaml").write_text(settings)
        cost_of_command(home, "segment_demo", "ours")
        yield home


def cost_of_command(home: DagsterHome, name: str, bodies: str) -> Cost:
    """Run a command of `COMMANDS` with the definitions of `MODULES`; its start counts."""
    planes, words = COMMANDS[name]
    command = f"dagster {words.format(MODULES[bodies])}"
    code, output = home.run(f"{shlex.join(LAUNCHED)} {command}")
    if code:
        message = f"{command} ended with {code}, so its cost is not known:\n{output}"
        raise RuntimeError(message)
    told = json.loads(output.splitlines()[-1])
    return Cost(planes, told["whole"], told["cpu"], told["peak"])
