"""OpenVEX documents: which vulnerabilities of which products do no harm (github.com/openvex/spec, v0.2.0).

A statement counts for an image if one of its products is the image: as a package URL (``pkg:oci/NAME@sha256:…?repository_url=…``)
or by its reference. Of several statements about one thing the latest counts. A statement without products is about none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from cluster_forge.checks.vulnerabilities.names import ImageNames
from cluster_forge.checks.vulnerabilities.vulnerability import Vulnerability, text_of
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.untyped import mapping, sequence

_HARMLESS: Final = ("not_affected", "fixed")
_PURL: Final = "pkg:oci/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a vendor says of vulnerabilities in products; ``packages`` are those in the product that are meant, empty for all."""

    ids: frozenset[str]
    products: tuple[str, ...]
    packages: frozenset[str]
    status: str
    time: str

    def is_about(self, vulnerability: Vulnerability, image: ImageNames) -> bool:
        is_meant = bool(self.ids & {vulnerability.id, *vulnerability.aliases})
        is_package = not self.packages or vulnerability.package in self.packages
        return is_meant and is_package and any(_is_image(product, image) for product in self.products)


def read(content: object, where: str) -> list[Statement]:
    """The statements of a document, in the order of their time.

    Raises:
        DescriptionError: if it is not an OpenVEX document.
    """
    document = mapping(content)
    if "openvex" not in str(document.get("@context")) or not isinstance(document.get("statements"), list):
        raise DescriptionError("this is not an OpenVEX document", where=where, fix="give one that `vexctl` writes")
    default = text_of(document, "last_updated") or text_of(document, "timestamp")
    statements = [_statement(mapping(one), default) for one in document["statements"]]
    return in_order(statements)


def in_order(statements: Iterable[Statement]) -> list[Statement]:
    """The statements by their time, whatever its zone; those without a readable one first."""
    return sorted(statements, key=lambda statement: _instant(statement.time))


def _instant(time: str) -> float:
    try:
        instant = datetime.fromisoformat(time)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def is_harmless(vulnerability: Vulnerability, image: ImageNames, statements: Iterable[Statement]) -> bool:
    """Whether the latest statement about a vulnerability in an image says that it does no harm."""
    statuses = [statement.status for statement in statements if statement.is_about(vulnerability, image)]
    return bool(statuses) and statuses[-1] in _HARMLESS


def _statement(one: Mapping[str, Any], default: str) -> Statement:
    vulnerability = one.get("vulnerability")
    about = mapping(vulnerability)
    ids = {vulnerability} if isinstance(vulnerability, str) else {text_of(about, "name"), text_of(about, "@id")}
    aliases = {alias for alias in sequence(about.get("aliases")) if isinstance(alias, str)}
    products = [*map(_product, sequence(one.get("products")))]
    return Statement(
        ids=frozenset((ids | aliases) - {""}),
        products=tuple(name for names, _ in products for name in names),
        packages=frozenset(package for _, packages in products for package in packages),
        status=text_of(one, "status"),
        time=text_of(one, "last_updated") or text_of(one, "timestamp") or default,
    )


def _product(product: object) -> tuple[list[str], list[str]]:
    """The names of a product, and of the packages in it."""
    if isinstance(product, str):
        return [product], []
    about = mapping(product)
    identifiers = mapping(about.get("identifiers")).values()
    names = [text_of(about, "@id"), *(value for value in identifiers if isinstance(value, str))]
    parts = (mapping(part) for part in sequence(about.get("subcomponents")))
    return list(filter(None, names)), list(_packages(text_of(part, "@id") for part in parts))


def _packages(identifiers: Iterable[str]) -> Iterator[str]:
    """The names in package URLs: ``openssl`` of ``pkg:apk/alpine/openssl@3.0``."""
    for identifier in identifiers:
        path = identifier.partition("?")[0].partition("#")[0].removeprefix("pkg:")
        if path:
            yield unquote(path.rpartition("@")[0] or path).rpartition("/")[2]


def _is_image(product: str, image: ImageNames) -> bool:
    if not product.startswith(_PURL):
        return product in image
    path, _, query = product.removeprefix(_PURL).partition("?")
    qualifiers = parse_qs(query)
    name, _, version = path.partition("@")
    url = qualifiers.get("repository_url", [""])[0].removeprefix("https://").rstrip("/")
    where = url if url.rpartition("/")[2] == name else f"{url}/{name}" if url else name
    digest, tag = unquote(version), qualifiers.get("tag", [""])[0]
    if digest:
        return f"{where}@{digest}" in image or (not url and image.has_digest(digest))
    return f"{where}:{tag}" in image if tag else image.is_of(where)
