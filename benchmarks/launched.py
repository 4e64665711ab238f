"""What a command costs: seconds, processor seconds and peak memory, told by the operating system.

Imports the standard library alone: on Linux the peak of a process that is just started is that of its parent.
"""

import json
import os
import subprocess
import sys
from time import monotonic

UNIT = 1024 if sys.platform == "linux" else 1
"""Bytes that `ru_maxrss` counts by."""


def main() -> None:
    """Run the command in the arguments to its end; its costs are the last line that is printed."""
    started = monotonic()
    process = subprocess.Popen(sys.argv[1:])  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * UNIT
    print(json.dumps({"whole": monotonic() - started, "cpu": cpu, "peak": peak}), flush=True)  # noqa: T201
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
