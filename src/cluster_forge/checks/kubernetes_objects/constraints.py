"""Constraints on the value of one field: what Kubernetes' validation takes beside its type.

A constraint gives what is wrong with a value, and how to mend it; None where nothing is, and for a value of another type.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from cluster_forge.checks.kubernetes_objects.problem import shown
from cluster_forge.foundation.names import LABEL, SUBDOMAIN, is_dns_subdomain, is_label_key, nearest

Complaint: TypeAlias = tuple[str, str]
"""What is wrong, and how to mend it."""
Constraint: TypeAlias = Callable[[Any], Complaint | None]

_PERCENT: Final = re.compile(r"[0-9]+%\Z")
_PORT_NAME: Final = re.compile(r"(?=.{1,15}\Z)(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")
_POD_FIELD: Final = re.compile(
    r"metadata\.(name|namespace|uid|labels|annotations|(labels|annotations)\['.+'\])\Z|spec\.(nodeName|serviceAccountName)\Z"
    r"|status\.(hostIPs?|podIPs?)\Z"
)
_RESOURCE: Final = re.compile(r"(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)\Z")
_KEY: Final = re.compile(r"(?!\.\.)(?!\.\Z)[-._a-zA-Z0-9]{1,253}\Z")


def one_of(*allowed: str, takes_empty: bool = True) -> Constraint:
    """One of a few words, in this case. ``takes_empty``: an empty text is the same as none, which has a default."""

    def constraint(value: Any) -> Complaint | None:
        if not isinstance(value, str) or value in allowed or (takes_empty and not value):
            return None
        other_case = next((word for word in allowed if word.lower() == value.lower()), None)
        meant = other_case or nearest(value, allowed)
        words = ", ".join(filter(None, allowed))
        return f"{shown(value)} is none of {words}", f"write {meant}" if meant else f"write one of {words}"

    return constraint


def between(least: int, most: int) -> Constraint:
    """A number from ``least`` to ``most``."""

    def constraint(value: Any) -> Complaint | None:
        if not _is_number(value) or least <= value <= most:
            return None
        return f"{value} is not from {least} to {most}", f"write a number from {least} to {most}"

    return constraint


def at_least(least: int) -> Constraint:
    """A number of ``least`` or more."""

    def constraint(value: Any) -> Complaint | None:
        if not _is_number(value) or value >= least:
            return None
        return f"{value} is less than {least}", f"write {least} or more"

    return constraint


def each(constraint: Constraint) -> Constraint:
    """Every entry of a list; the first that is wrong is named."""

    def entries(value: Any) -> Complaint | None:
        complaints = map(constraint, value) if isinstance(value, list) else iter(())
        return next(filter(None, complaints), None)

    return entries


def matching(pattern: re.Pattern[str], rule: str) -> Constraint:
    """A text that a pattern matches from its beginning; ``rule`` says what that is."""

    def constraint(value: Any) -> Complaint | None:
        if not isinstance(value, str) or not value or pattern.match(value):
            return None
        return f"{shown(value)} is not {rule}", f"write {rule}"

    return constraint


def absolute_path(value: Any) -> Complaint | None:
    if not isinstance(value, str) or not value or value.startswith("/"):
        return None
    return f"{shown(value)} is not an absolute path", "begin it with /"


def no_parent(value: Any) -> Complaint | None:
    """A path that does not lead to a parent folder."""
    if not isinstance(value, str) or ".." not in value.split("/"):
        return None
    return f"{shown(value)} leads out of its folder by `..`", "write it without `..`"


def descending_path(value: Any) -> Complaint | None:
    """A relative path that stays below its folder."""
    if isinstance(value, str) and value.startswith("/"):
        return f"{shown(value)} is not a relative path", "write it without the / at its beginning"
    return no_parent(value)


def port(value: Any) -> Complaint | None:
    """A port by number, or by the name that a container gives it."""
    if isinstance(value, str):
        return port_name(value)
    return _PORT(value)


def count_or_percent(value: Any) -> Complaint | None:
    """``1`` or ``25%``."""
    if isinstance(value, str) and not _PERCENT.match(value):
        return f"{shown(value)} is neither a number nor a percentage", 'write a number without quotes, or one as "25%"'
    return at_least(0)(value)


def ip_address(value: Any) -> Complaint | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return f"{shown(value)} is not an IP address", "write one such as 10.0.0.1"
    return None


def cluster_ip(value: Any) -> Complaint | None:
    """An address, or None in a Service without one."""
    return None if value == "None" else ip_address(value)


def cidr(value: Any) -> Complaint | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        if "/" not in value:
            raise ValueError
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return f"{shown(value)} is not a range of addresses", "write one such as 10.0.0.0/8"
    return None


def qualified_name(value: Any) -> Complaint | None:
    """A name such as the key of a label, with an optional DNS name before it."""
    if not isinstance(value, str) or not value:
        return None
    prefix, slash, _ = value.rpartition("/")
    if is_label_key(value) and (not slash or is_dns_subdomain(prefix)):
        return None
    rule = "a name: letters, digits, `-`, `_` and `.`, at most 63, after an optional DNS name and `/`"
    return f"{shown(value)} is not {rule}", f"write {rule}"


def target_port(value: Any) -> Complaint | None:
    """The port of a Pod, 0 for that of the Service itself."""
    return None if value == 0 else port(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_PORT: Final = between(1, 65535)
label_value: Final = matching(_LABEL_VALUE, "a label's value: letters, digits, `-`, `_` and `.`, at most 63")
pod_field: Final = matching(
    _POD_FIELD, "a field that a Pod can see: metadata.name, spec.nodeName, status.podIP and the like"
)
container_resource: Final = matching(_RESOURCE, "a resource of a container: limits.memory, requests.cpu and the like")
dns_label: Final = matching(LABEL, "a DNS label: lower-case letters, digits and hyphens, at most 63")
dns_name: Final = matching(SUBDOMAIN, "a DNS name: lower-case letters, digits, hyphens and dots, at most 253")
port_name: Final = matching(
    _PORT_NAME, "a port's name: lower-case letters, digits and single hyphens, at most 15, a letter among them"
)
data_key: Final = matching(_KEY, "a key: letters, digits, `-`, `_` and `.`, at most 253")
