"""Executes a notebook with this Python as kernel: `python -m ... NOTEBOOK EXECUTED`."""

import sys
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

LOOK_AGAIN = 500  # milliseconds


class ShellChannel(AsyncZMQSocketChannel):
    """Looks again for a reply while none comes.

    nbclient hands a slider's picture to the kernel on the socket on which it waits for the cell's reply; such a send
    swallows the signal of a reply that arrives with it, and whoever waits without looking waits for ever.
    """

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]  # noqa: ASYNC109
        """Give the next message; cells have no time limit, for which `timeout` is None."""
        while timeout is None and not await self.socket.poll(LOOK_AGAIN):
            pass
        return await super().get_msg(timeout)


class KernelClient(AsyncKernelClient):
    """Talks to a kernel through this channel."""

    shell_channel_class = ShellChannel


def main(notebook: str, executed: str) -> None:
    """Execute all cells of the notebook and write it with its outputs and the state of its widgets."""
    cells: Any = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    manager = AsyncKernelManager(kernel_name="python3", client_factory=KernelClient)
    folder = {"metadata": {"path": str(Path(notebook).parent)}}
    NotebookClient(cells, km=manager, resources=folder).execute()
    nbformat.write(cells, executed)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(*sys.argv[1:])
