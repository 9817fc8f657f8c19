"""The built-in API table against what the Kubernetes release notes and discovery say."""

from __future__ import annotations

import pytest

from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.kubernetes_api_table import KINDS, SUBRESOURCE_KINDS

MINORS = range(25, 38)
ALL = tuple(MINORS)


def minors_that_serve(api: str) -> tuple[int, ...]:
    return tuple(minor for minor in MINORS if api in kubernetes_apis.api_versions(minor))


def test_the_minors_have_no_gap() -> None:
    assert kubernetes_apis.minors() == ALL


@pytest.mark.parametrize(
    ("api", "minors"),
    [
        # Always there, in both forms; the core group has no name.
        ("v1", ALL),
        ("v1/ConfigMap", ALL),
        ("v1/Namespace", ALL),
        ("apps/v1", ALL),
        ("apps/v1/Deployment", ALL),
        ("policy/v1/PodDisruptionBudget", ALL),
        ("batch/v1/CronJob", ALL),
        ("autoscaling/v2/HorizontalPodAutoscaler", ALL),
        ("networking.k8s.io/v1/Ingress", ALL),
        # Served by the aggregator and by the API extensions server inside kube-apiserver.
        ("apiregistration.k8s.io/v1/APIService", ALL),
        ("apiextensions.k8s.io/v1/CustomResourceDefinition", ALL),
        # Gone before, or within, the range: https://kubernetes.io/docs/reference/using-api/deprecation-guide/
        ("extensions/v1beta1", ()),
        ("policy/v1beta1", ()),
        ("policy/v1beta1/PodSecurityPolicy", ()),
        ("policy/v1beta1/PodDisruptionBudget", ()),
        ("batch/v1beta1", ()),
        ("batch/v1beta1/CronJob", ()),
        ("apiextensions.k8s.io/v1beta1", ()),
        ("autoscaling/v2beta1", ()),
        ("autoscaling/v2beta2", (25,)),
        ("autoscaling/v2beta2/HorizontalPodAutoscaler", (25,)),
        ("storage.k8s.io/v1beta1", (25, 26)),
        ("storage.k8s.io/v1beta1/CSIStorageCapacity", (25, 26)),
        ("flowcontrol.apiserver.k8s.io/v1beta1", (25,)),
        ("flowcontrol.apiserver.k8s.io/v1beta2", (25, 26, 27, 28)),
        ("flowcontrol.apiserver.k8s.io/v1beta3", (26, 27, 28, 29, 30, 31)),
        # Came to stay.
        ("authentication.k8s.io/v1/SelfSubjectReview", tuple(range(28, 38))),
        ("flowcontrol.apiserver.k8s.io/v1", tuple(range(29, 38))),
        ("admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", tuple(range(30, 38))),
        ("networking.k8s.io/v1/ServiceCIDR", tuple(range(33, 38))),
        ("resource.k8s.io/v1", tuple(range(34, 38))),
        ("resource.k8s.io/v1/ResourceClaim", tuple(range(34, 38))),
        ("storage.k8s.io/v1/VolumeAttributesClass", tuple(range(34, 38))),
        ("admissionregistration.k8s.io/v1/MutatingAdmissionPolicy", (36, 37)),
        ("certificates.k8s.io/v1/ClusterTrustBundle", (37,)),
        # There, but off unless switched on (KEP-3136).
        ("admissionregistration.k8s.io/v1beta1", ()),
        ("admissionregistration.k8s.io/v1beta1/ValidatingAdmissionPolicy", ()),
        ("networking.k8s.io/v1beta1", ()),
        ("resource.k8s.io/v1beta1/ResourceClaim", ()),
        ("internal.apiserver.k8s.io/v1alpha1", ()),
        # Kinds that only subresources have, under the resource's group and version, not under the kind's own.
        ("apps/v1/Scale", ALL),
        ("v1/Scale", ALL),
        ("v1/Eviction", ALL),
        ("policy/v1/Eviction", ()),
        ("v1/PodExecOptions", ALL),
        ("v1/TokenRequest", ALL),
        ("authentication.k8s.io/v1/TokenRequest", ()),
        # Lists are no resources, and what add-ons serve is not built in.
        ("v1/List", ()),
        ("v1/ConfigMapList", ()),
        ("metrics.k8s.io/v1beta1", ()),
    ],
)
def test_an_api_is_visible_in_the_minors_that_serve_it(api: str, minors: tuple[int, ...]) -> None:
    assert minors_that_serve(api) == minors


@pytest.mark.parametrize("minor", MINORS)
def test_visible_apis_are_sorted_and_name_every_kind_with_its_version(minor: int) -> None:
    visible = kubernetes_apis.api_versions(minor)
    versions = {api for api in visible if api.rpartition("/")[2].startswith("v")}
    kinds = set(visible) - versions
    assert list(visible) == sorted(set(visible))
    assert {kind.rpartition("/")[0] for kind in kinds} == versions
    assert not any("alpha" in api for api in visible)


@pytest.mark.parametrize("minor", [24, 38, 136])
def test_an_unknown_minor_is_refused(minor: int) -> None:
    with pytest.raises(ValueError, match=rf"1\.{minor}"):
        kubernetes_apis.api_versions(minor)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize(
    ("group", "kind", "namespaced"),
    [
        ("", "Namespace", False),
        ("", "Node", False),
        ("", "PersistentVolume", False),
        ("", "PersistentVolumeClaim", True),
        ("", "ConfigMap", True),
        ("", "Event", True),
        ("events.k8s.io", "Event", True),
        ("apps", "Deployment", True),
        ("rbac.authorization.k8s.io", "ClusterRole", False),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding", False),
        ("rbac.authorization.k8s.io", "Role", True),
        ("apiregistration.k8s.io", "APIService", False),
        ("apiextensions.k8s.io", "CustomResourceDefinition", False),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", False),
        ("authorization.k8s.io", "SubjectAccessReview", False),
        ("authorization.k8s.io", "LocalSubjectAccessReview", True),
        ("networking.k8s.io", "IngressClass", False),
        ("storage.k8s.io", "CSIStorageCapacity", True),
        # Known in some of the minors only: the nearest one answers for the others.
        ("resource.k8s.io", "ResourceClass", False),
        ("resource.k8s.io", "PodSchedulingContext", True),
        ("certificates.k8s.io", "PodCertificateRequest", True),
        # Not built in: another group, a list, and what only a subresource takes.
        ("", "Deployment", None),
        ("monitoring.coreos.com", "ServiceMonitor", None),
        ("", "ConfigMapList", None),
        ("apps", "Scale", None),
    ],
)
def test_a_kind_is_namespaced_or_not(minor: int, group: str, kind: str, namespaced: bool | None) -> None:
    assert kubernetes_apis.is_namespaced(group, kind, minor) is namespaced


@pytest.mark.parametrize("minor", [16, 24, 38])
def test_scopes_are_known_for_other_minors_too(minor: int) -> None:
    assert kubernetes_apis.is_namespaced("apps", "Deployment", minor) is True
    assert kubernetes_apis.is_namespaced("", "Namespace", minor) is False


def test_a_version_of_a_kind_is_served_by_minors() -> None:
    assert kubernetes_apis.served_minors("policy", "v1", "PodDisruptionBudget") == ALL
    assert kubernetes_apis.served_minors("policy", "v1beta1", "PodDisruptionBudget") == ()
    assert kubernetes_apis.served_minors("autoscaling", "v2beta2", "HorizontalPodAutoscaler") == (25,)
    assert kubernetes_apis.served_minors("resource.k8s.io", "v1beta1", "ResourceClaim") == ()
    assert kubernetes_apis.served_minors("monitoring.coreos.com", "v1", "ServiceMonitor") == ()


def test_the_table_is_consistent() -> None:
    objects = [(group, version, kind) for group, version, kind, *_ in KINDS]
    subresources = [(group, version, kind) for group, version, kind, _ in SUBRESOURCE_KINDS]
    assert len({*objects, *subresources}) == len(objects) + len(subresources)
    for _, version, _, _, served, known in KINDS:
        serving = kubernetes_apis.minors_in(served)
        assert set(serving) <= set(kubernetes_apis.minors_in(known)) <= set(MINORS)
        assert "alpha" not in version or not serving
        if "alpha" not in version and "beta" not in version:
            assert served == known, "a stable version is served wherever it exists"


def test_ranges_with_gaps_are_parsed() -> None:
    assert kubernetes_apis.minors_in("25-27,30") == (25, 26, 27, 30)
    assert kubernetes_apis.minors_in("37") == (37,)
    assert kubernetes_apis.minors_in("") == ()
