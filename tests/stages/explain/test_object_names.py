"""The object that a user names."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.explain.object_names import named


def identity(text: str) -> ObjectId:
    """``Deployment.apps/shop/web``."""
    kind, *rest = text.split("/")
    bare, _, group = kind.partition(".")
    return ObjectId(group=group, kind=bare, namespace=rest[0] if len(rest) > 1 else "", name=rest[-1])


WEB = identity("Deployment.apps/shop/web")
SERVICE = identity("Service/shop/web")
ROLE = identity("ClusterRole.rbac.authorization.k8s.io/system:admin")
KNOWN = {WEB, SERVICE, ROLE, identity("ConfigMap/a/settings"), identity("ConfigMap/b/settings")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Deployment.apps/shop/web", WEB),
        ("deployment/web", WEB),
        ("deployment.apps/web", WEB),
        ("deployment/shop/web", WEB),
        ("working/shop/deployment.apps_shop_web.yaml", WEB),
        ("service_shop_web.yaml", SERVICE),
        ("clusterrole/system:admin", ROLE),
        ("system:admin", ROLE),
    ],
)
def test_it_is_found(text: str, expected: ObjectId) -> None:
    assert named(text, KNOWN) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web", "'web' names 2 objects: Service/shop/web, Deployment.apps/shop/web"),
        ("configmap/settings", "names 2 objects: ConfigMap/a/settings, ConfigMap/b/settings"),
        ("deployment/wep", "did you mean Deployment.apps/shop/web?"),
        ("setting", "did you mean ConfigMap/a/settings?"),
        ("something/quite/other", "the stack has no object 'something/quite/other'"),
        ("", "the stack has no object ''"),
    ],
)
def test_what_is_not_there_is_an_error(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        named(text, KNOWN)
    assert message in error.value.message
