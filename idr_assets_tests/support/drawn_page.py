"""A slider page in a browser: open it, wait for a plane, read its canvases."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Page


def show(page: Page, address: str, name: str = "t 0 c 0 z 0") -> None:
    """Open an address and wait for its plane."""
    page.goto(address)
    drawn(page, name)


def drawn(page: Page, name: str) -> None:
    """Wait until the plane `name` is drawn and named."""
    page.wait_for_selector(f'body[data-drawn="{name}"]')
    assert page.inner_text("#name").startswith(f"{name} · ")
    assert page.get_attribute("#overlay", "aria-label") == f"overlay of {name}"


def canvas(page: Page, name: str) -> npt.NDArray[np.uint8]:
    """Read a canvas back as RGB (y, x, 3)."""
    url = page.evaluate("name => document.getElementById(name).toDataURL()", name)
    return np.asarray(Image.open(BytesIO(b64decode(url.split(",")[1]))).convert("RGB"))
