"""Which proxy leads to a server: that of http_proxy or https_proxy, unless no_proxy names the server."""

from contextlib import suppress
from ipaddress import ip_address, ip_network
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
    name = parts.hostname or host
    if not proxy or proxy_bypass(host) or proxy_bypass(name) or _is_in_network(name, getproxies().get("no", "")):
        return None
    scheme, separator, _ = proxy.rpartition("://")
    if scheme not in {"", "http", "https"}:
        message = (
            f"{parts.scheme}_proxy names a proxy of the kind {scheme!r}: {host} is not reached, and nothing is read. "
            f"Name an HTTP proxy, as in {parts.scheme}_proxy=http://proxy.example.org:3128, or add {host} to no_proxy."
        )
        raise ImageError(message)
    return proxy if separator else f"http://{proxy}"


def _is_in_network(host: str, no_proxy: str) -> bool:
    """Return whether a host is an address within one of the networks of `no_proxy`, such as 10.0.0.0/8."""
    for network in no_proxy.split(","):
        with suppress(ValueError):  # a name
            if ip_address(host) in ip_network(network.strip(), strict=False):
                return True
    return False
