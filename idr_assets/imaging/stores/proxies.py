"""Which proxy leads to a server: that of http_proxy or https_proxy, unless no_proxy names the server."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from idr_assets.imaging.errors import ImageError


def find_proxy(url: str) -> str | None:
    """Return the address of the proxy that the environment names for `url`, None without a proxy.

    Raises
    ------
    ImageError
        Where the variable names a proxy that is not an HTTP proxy.

    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    proxy = getproxies().get(parts.scheme)
    if not proxy or any(proxy_bypass(name) for name in (host, parts.hostname or host)):
        return None
    scheme, separator, _ = proxy.rpartition("://")
    if scheme not in {"", "http", "https"}:
        message = (
            f"{parts.scheme}_proxy names a proxy of the kind {scheme!r}: {host} is not reached, and nothing is read. "
            f"Name an HTTP proxy, as in {parts.scheme}_proxy=http://proxy.example.org:3128, or add {host} to no_proxy."
        )
        raise ImageError(message)
    return proxy if separator else f"http://{proxy}"
