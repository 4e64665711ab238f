"""The web UI of a project as processes of its own, what is pressed on its pages, and what these ask of it."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
from playwright.sync_api import Locator, Page, expect, sync_playwright

from idr_assets_tests.support.dagster_home import DagsterHome, wait_until

PATIENCE = 120_000
"""Milliseconds that the browser waits for what is to appear."""

CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP evil.example 127.0.0.1",  # a name of another site that leads to this machine
]

SELECTOR = '{repositoryLocationName: $location, repositoryName: "__repository__", sensorName: $sensor}'

START = f"""
mutation ($location: String!, $sensor: String!) {{ startSensor(sensorSelector: {SELECTOR}) {{ __typename }} }}
"""

TICKS = f"""
query ($location: String!, $sensor: String!) {{
  sensorOrError(sensorSelector: {SELECTOR}) {{
    ... on Sensor {{ sensorState {{ ticks(limit: 1, statuses: [SUCCESS, SKIPPED]) {{ timestamp }} }} }}
  }}
}}
"""


@contextmanager
def serving(home: DagsterHome, command: str, *, patience: float = 60) -> Iterator[str]:
    """Start `command`, to which a port is added, and give its address; Ctrl-C must end all of its processes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = home.start(f"{command} --port {port}")
    wait_until(lambda: listens(port) or server.poll() is not None)
    assert server.poll() is None, home.output.read_text()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(patience) == 0
        assert psutil.wait_procs(home.processes, timeout=30)[1] == []


@contextmanager
def browsing(ui: str, chromium: str) -> Iterator[Page]:
    """Open a page of the UI in headless Chromium, in which addresses may be relative."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(base_url=ui, viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


def open_dialog(page: Page, image: str, *, confirm: bool = False) -> None:
    """Open the dialog that launches labels, and wait until it knows which are there; earlier, it draws itself anew.

    It wants to `confirm` where the source was never looked at.
    """
    page.goto(f"/assets/{image}/plane_labels")
    with page.expect_response(lambda answer: "PartitionHealthQuery" in (answer.request.post_data or "")):
        page.get_by_role("button", name="Materialize").click()
        if confirm:
            page.get_by_role("button", name="Confirm").click()


def choose(page: Page, dimension: int, key: str) -> None:
    """Choose a key of a dimension of the partitions in the dialog."""
    page.get_by_label("expand_more").nth(dimension).click()
    page.get_by_role("menuitem").get_by_title(key, exact=True).click()
    page.get_by_label("expand_less").click()
    expect(page.get_by_role("menuitem")).to_have_count(0)  # the list fades out, and could be taken for the next one


def launch_window(page: Page, image: str, planes: int, *, confirm: bool = False, only: int | None = None) -> None:
    """Launch a backfill of a window's planes, so many, or `only` those missing or failed."""
    open_dialog(page, image, confirm=confirm)
    dialog = _choose_all(page, planes)
    if only:
        dialog.get_by_text("Backfill only failed and missing").click()
        expect(dialog.get_by_text(f"Only {only} failed and missing")).to_be_visible()
    _launch(page, dialog)


def launch_job(page: Page, job: str, planes: int) -> None:
    """Launch a backfill of all planes of a job, so many, from its page, to which the main menu leads."""
    page.goto("/jobs")
    page.get_by_text(job, exact=True).click()
    with page.expect_response(lambda answer: "PartitionHealthQuery" in (answer.request.post_data or "")):
        page.get_by_role("button", name="Materialize all").click()
    _launch(page, _choose_all(page, planes))


def _choose_all(page: Page, planes: int) -> Locator:
    dialog = page.get_by_role("dialog")
    for axis in range(2):
        dialog.get_by_role("button", name="All", exact=True).nth(axis).click()
    expect(dialog.get_by_text(f"{planes} partitions")).to_be_visible()
    return dialog


def _launch(page: Page, dialog: Locator) -> None:
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_be_hidden()
    leave(page)


def cancel_backfill(page: Page, backfill: str) -> None:
    """Press the buttons that end a backfill."""
    page.goto(f"/runs/b/{backfill}")
    page.get_by_role("button").filter(has=page.get_by_label("expand_more")).last.click()
    page.get_by_text("Cancel backfill", exact=True).click()
    dialog = page.get_by_role("dialog").filter(has_text="In progress runs")  # the menu is a dialog, too
    dialog.get_by_role("button", name="Cancel backfill").click()
    expect(dialog).to_be_hidden()
    leave(page)


def run_again(page: Page, run: str, *, from_failure: bool) -> None:
    """Re-execute a run of a backfill from its page."""
    page.goto(f"/runs/{run}")
    again = page.get_by_role("button", name="Re-execute all (*)")
    if from_failure:
        again.locator("xpath=following::button[1]").click()
        page.get_by_text("From failure", exact=True).click()
    else:
        again.click()
    with page.expect_response(lambda answer: "Reexecut" in (answer.request.post_data or "")):
        page.get_by_role("button", name="Confirm").click()  # that the backfill has ended
    leave(page)


def leave(page: Page) -> None:
    """Close what is open: a page of Dagster asks the server all the time, which slows down what is waited for."""
    page.goto("about:blank")


def switch(page: Page, automation: str, *, on: bool) -> None:
    """Switch a schedule or a sensor, such as `schedules/missing_demo`, on or off."""
    page.goto("/automation")
    row = page.locator(f"a[href$='/{automation}'] ~ div")
    row.locator("label").click()
    expect(row.locator("input")).to_be_checked(checked=on)
    leave(page)


def start_sensor(ui: str, location: str, sensor: str) -> None:
    """Switch a sensor on, and wait until it has ticked."""
    where = {"location": location, "sensor": sensor}
    assert ask(ui, START, **where)["startSensor"] == {"__typename": "Sensor"}
    wait_until(lambda: ask(ui, TICKS, **where)["sensorOrError"]["sensorState"]["ticks"])


def ask(ui: str, query: str, **variables: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Ask the UI's GraphQL as its pages do; an answer with errors raises `AssertionError`."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"{ui}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        found = json.load(error)
    assert not found.get("errors"), found
    data: dict[str, Any] = found["data"]
    return data


def listens(port: int) -> bool:
    """Tell whether something listens at a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
