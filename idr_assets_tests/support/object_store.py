"""An S3 server on loopback, and a way to it on which uploads can be held in the middle."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Self

import pytest

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def object_store() -> Iterator[str]:
    """Serve S3, without any bucket, and give the endpoint.

    One server is for all tests of a process: clients that fsspec keeps would go to the one that is gone.
    """
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  it takes a second, for few tests

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@contextmanager
def default_store(endpoint: str) -> Iterator[None]:
    """Name the endpoint and its credentials in the environment, as users do, to this process and those it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}.items():
            patch.setenv(name, value)
        yield


class HeldUploads:
    """Lead to the store at `endpoint`, but of an upload to a key that ends in `key` pass only the start on.

    `held` is set once so much of it came that the client is in the middle of its body.
    """

    def __init__(self, endpoint: str, key: str) -> None:
        self.held = Event()
        self._store = ("127.0.0.1", int(endpoint.rpartition(":")[2]))
        self._key = f"{key} HTTP".encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()  # connections that are open end with their client

    def _serve(self) -> None:
        with suppress(OSError):  # which ends it: the listener is closed
            while True:
                client, _ = self._listener.accept()
                store = socket.create_connection(self._store)
                Thread(target=self._up, args=(client, store), daemon=True).start()
                Thread(target=self._down, args=(store, client), daemon=True).start()

    def _up(self, client: socket.socket, store: socket.socket) -> None:
        with client, store, suppress(OSError):
            body = None
            while data := client.recv(2**14):
                if body is None and data.startswith(b"PUT ") and self._key in data.partition(b"\r\n")[0]:
                    body = 0
                elif body is not None:
                    body += len(data)
                if body is None or body < 2**16:
                    store.sendall(data)
                else:
                    self.held.set()

    def _down(self, store: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := store.recv(2**14):
                client.sendall(data)
