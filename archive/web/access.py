"""Who asks: the address of a visitor and the audience that follows from it.

Accounts and signing in are not built yet, so a visitor is `public`, or `reading_room` from one of the institution's own networks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from flask import Request

from archive.errors import SettingsError
from archive.model.rights import Audience
from archive.settings import Settings

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=32)
def networks(written: tuple[str, ...]) -> tuple[_Network, ...]:
    """The networks of a setting; raises SettingsError naming the one that is none."""
    found: list[_Network] = []
    for text in written:
        try:
            found.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError as error:
            raise SettingsError(f"settings.toml: {text!r} is no network such as 10.1.0.0/16: {error}") from error
    return tuple(found)


def _within(address: str, nets: Iterable[_Network]) -> bool:
    try:
        ip = ipaddress.ip_address(address.strip().strip("[]"))
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip.version == net.version and ip in net for net in nets)


def visitor_address(request: Request, settings: Settings) -> str:
    """The visitor's address: the connection's, or, when that is a trusted proxy, the last one in X-Forwarded-For that is no proxy of ours.

    Addresses left of an untrusted one are hearsay and never believed.
    """
    address = request.remote_addr or ""
    proxies = networks(settings.trusted_proxies)
    if not proxies or not _within(address, proxies):
        return address
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not hop.strip():
            continue
        address = hop.strip()
        if not _within(address, proxies):
            break
    return address


def reader(request: Request, settings: Settings) -> Audience:
    """The audience of whoever asks."""
    if settings.reading_room_networks and _within(visitor_address(request, settings), networks(settings.reading_room_networks)):
        return Audience.READING_ROOM
    return Audience.PUBLIC


def is_local(request: Request) -> bool:
    """True for a request made on this machine itself, not one that a proxy on it passes on."""
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"))
    return not passed_on and _within(request.remote_addr or "", (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))
