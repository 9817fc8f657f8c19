"""How the network is used: time-outs, retries, connections, and what the user says about single hosts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: for a connection, between two parts of a message, until the headers of a response are there, and for a
    whole download with its redirects, retries and waits.
    """

    connect: float = 10.0
    silence: float = 30.0
    headers: float = 60.0
    whole: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """What the user says about one host: files of its certificate authority and of a certificate to show to it; that its
    certificate is not verified (``is_insecure``); that it may be reached over plain HTTP. ``where`` it is said is for messages.
    """

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    is_insecure: bool = False
    is_plain_http: bool = False
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of all requests.

    ``retries`` follow a failed attempt: the pause before the first is at most ``first_pause`` seconds long, and each next
    one at most twice as long as the last, up to ``longest_pause``; how long it is, ``jitter`` (0 to 1) decides, so that many
    clients do not come back at the same moment. A server may ask for up to ``longest_wait`` seconds. ``connections`` is the
    limit for each host. ``ca_file`` is trusted in addition to the system's authorities.
    """

    retries: int = 8
    first_pause: float = 0.25
    longest_pause: float = 8.0
    longest_wait: float = 60.0
    timeouts: Timeouts = field(default_factory=Timeouts)
    connections: int = 16
    ca_file: str = ""
    jitter: Callable[[], float] = random.random
