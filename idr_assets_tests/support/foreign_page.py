"""A page of another site, served at another port of this machine, and what it may try to change something in the UI."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CHANGE = (
    "mutation { reportRunlessAssetEvents(eventParams: "
    '{eventType: ASSET_MATERIALIZATION, assetKey: {path: ["demo", "montage"]}}) { __typename } }'
)
"""A mutation that leaves a materialization of the montage."""

ATTEMPTS = """async ([ui, change]) => {
  const url = `${ui}/graphql`, asked = `${url}?query=${encodeURIComponent(change)}`;
  const body = JSON.stringify({query: change});
  const loaded = (element) => new Promise(done => {
    element.onload = element.onerror = done;
    document.body.append(element);
  });
  await loaded(Object.assign(new Image(), {src: asked}));
  await loaded(Object.assign(document.createElement('script'), {src: asked}));
  await loaded(Object.assign(document.createElement('iframe'), {src: asked}));
  for (const type of ['text/plain', 'text/plain; application/json'])
    await fetch(url, {method: 'POST', mode: 'no-cors', body: new Blob([body], {type})}).catch(() => 0);
  await fetch(asked, {method: 'POST', mode: 'no-cors'}).catch(() => 0);
  await fetch(url, {method: 'POST', body, headers: {'content-type': 'application/json'}}).catch(() => 0);
  const frame = Object.assign(document.createElement('iframe'), {name: 'sent'});
  const form = Object.assign(document.createElement('form'), {method: 'post', action: asked, target: 'sent'});
  document.body.append(frame, form);
  await new Promise(done => { frame.onload = done; form.submit(); setTimeout(done, 3000); });
  return await new Promise(done => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-ws');
    socket.onopen = () => done('open');
    socket.onerror = () => done('refused');
  });
}"""
"""Ask for a change in every way that needs no leave of the server; tell whether a websocket opened."""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>foreign</title><body></body>")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def foreign_site() -> Iterator[int]:
    """Serve an empty page at a port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
