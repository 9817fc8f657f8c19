"""The format of a component's file: what it accepts, and what the packaged components say with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_forge.catalog.library import packaged
from cluster_forge.manifests.finding import CODES

if TYPE_CHECKING:
    from tests.catalog.conftest import Shelf

OPERATED = {
    ("amd.com", "DeviceConfig"): ((), ()),
    ("gateway.networking.k8s.io", "Gateway"): (("{name}",), ()),
    ("minio.min.io", "Tenant"): (("minio", "{name}-hl", "{name}-console"), ()),
    ("monitoring.coreos.com", "Alertmanager"): (("alertmanager-operated",), ()),
    ("monitoring.coreos.com", "Prometheus"): (("prometheus-operated",), ()),
    ("monitoring.coreos.com", "ThanosRuler"): (("thanos-ruler-operated",), ()),
    ("nvidia.com", "ClusterPolicy"): ((), ()),
    ("opentelemetry.io", "OpenTelemetryCollector"): (("{name}-collector", "{name}-collector-headless"), ()),
    ("postgresql.cnpg.io", "Cluster"): (
        ("{name}-rw", "{name}-ro", "{name}-r"),
        ("{name}-app", "{name}-superuser", "{name}-ca", "{name}-server", "{name}-replication"),
    ),
    ("psmdb.percona.com", "PerconaServerMongoDB"): ((), ()),
    ("rabbitmq.com", "RabbitmqCluster"): (("{name}", "{name}-nodes"), ("{name}-default-user",)),
    ("ray.io", "RayCluster"): (("{name}-head-svc",), ()),
}
"""The Services and Secrets that the operators' documentation promises, by group and kind of object."""


def test_packaged_operators_say_what_they_operate() -> None:
    operated: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for kind in packaged().operates:
        services, secrets = operated.get((kind.group, kind.kind), ((), ()))
        operated[kind.group, kind.kind] = ((*services, *kind.services), (*secrets, *kind.secrets))
    assert operated == OPERATED


def test_exceptions_of_packaged_components_have_known_codes() -> None:
    codes = {exception.rule for component in packaged().components() for exception in component.exceptions}
    assert codes <= CODES


def test_a_former_rule_name_becomes_its_code(shelf: Shelf) -> None:
    rules = ("literal-secret", "image-tag", "random", "service-monitor", "memory-limit")
    shelf.component("web", exceptions=[{"rule": rule, "reason": "It is off."} for rule in rules])
    assert [exception.rule for exception in shelf.library.component("web").exceptions] == [
        "plaintext-secret",
        "unpinned-image",
        "random-render",
        "missing-reference",
        "memory-limit",
    ]


def test_an_operated_kind_takes_names_of_objects_only(shelf: Shelf) -> None:
    operated = {"group": "example.org", "kind": "Database", "services": ["{name}-rw", "{names}"]}
    shelf.component("web", operates=[operated])
    (error,) = shelf.errors("components: [web]")
    assert "operates[0].services[1]" in error
    assert "'{names}' is not the name of an object: write lower-case letters, digits, '-', '.' or {name}" in error
