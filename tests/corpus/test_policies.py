"""Kyverno's policies for the Pod Security Standards, in both of their forms, against the objects of a real stack.

The chart has each policy as a pattern and in CEL: two implementations that know nothing of each other, and must agree.
"""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml
from helm_python import Chart, _native

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import admission_policies, kyverno_policies
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

CHART = "mirror/charts/kyverno-policies-3.9.0.tgz"
PLACE = Provenance(component=ComponentName("policies"), origin="policies.yaml:1")
NOT_THE_SAME = {"disallow-capabilities-strict", "restrict-volume-types"}
"""The first one asks for less in CEL: a container without a security context passes. The second one's conditions need
functions of JMESPath.
"""

Change = Callable[[dict[str, Any]], None]


def container(**context: Any) -> Change:
    return lambda pod: pod["containers"][0].setdefault("securityContext", {}).update(context)


FAULTS: dict[str, Change] = {
    "disallow-capabilities": container(capabilities={"add": ["SYS_ADMIN"]}),
    "disallow-host-namespaces": lambda pod: pod.update(hostPID=True),
    "disallow-host-path": lambda pod: pod.update(volumes=[{"name": "a", "hostPath": {"path": "/"}}]),
    "disallow-host-ports": lambda pod: pod["containers"][0].update(ports=[{"containerPort": 80, "hostPort": 80}]),
    "disallow-host-process": container(windowsOptions={"hostProcess": True}),
    "disallow-privileged-containers": container(privileged=True),
    "disallow-proc-mount": container(procMount="Unmasked"),
    "disallow-selinux": container(seLinuxOptions={"type": "spc_t"}),
    "restrict-sysctls": lambda pod: pod.update(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
    "restrict-seccomp": container(seccompProfile={"type": "Unconfined"}),
    "restrict-apparmor-profiles": container(appArmorProfile={"type": "Unconfined"}),
    "disallow-privilege-escalation": container(allowPrivilegeEscalation=True),
    "require-run-as-non-root-user": container(runAsUser=0),
}
"""A change of a Pod that each policy refuses."""


@cache
def policies(corpus: Path, form: str) -> tuple[Manifest, ...]:
    chart = Chart.load(str(corpus / CHART))
    values = {"policyType": form, "podSecurityStandard": "restricted"}
    options = {"name": "policies", "namespace": "kyverno", "kube_version": "v1.34.0"}
    rendered = orjson.loads(
        _native.call_string("helm_render", chart._raw(), orjson.dumps(values).decode(), orjson.dumps(options).decode())
    )
    texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    documents = (body for text in texts for body in yaml.safe_load_all(text) if body)
    return tuple(Manifest.of(body, PLACE) for body in documents)


def found(corpus: Path, form: str, manifests: Sequence[Manifest]) -> list[Finding]:
    checked = CheckedStack(Stack(name="all"), [*manifests, *policies(corpus, form)], waves={})
    return list((admission_policies if form == "ValidatingPolicy" else kyverno_policies).findings(checked))


def by_policy(findings: Sequence[Finding]) -> dict[str, set[str]]:
    objects: defaultdict[str, set[str]] = defaultdict(set)
    for finding in findings:
        match = re.search(r"(?:Validating|Cluster)Policy ([\w.-]+):", finding.message)
        if match and finding.code == "policy-violation":
            objects[match[1]].add(f"{finding.object}")
    return objects


def test_patterns_and_cel_agree_about_every_object(corpus: Path, everything: Forged) -> None:
    manifests = [manifest for manifest in everything.manifests if manifest.id.group != "policies.kyverno.io"]
    in_cel = found(corpus, "ValidatingPolicy", manifests)
    as_patterns = found(corpus, "ClusterPolicy", manifests)
    assert {finding.code for finding in in_cel} == {"policy-violation"}
    one, other = by_policy(in_cel), by_policy(as_patterns)
    assert {name: one[name] for name in one.keys() - NOT_THE_SAME} == {
        name: other[name] for name in other.keys() - NOT_THE_SAME
    }
    assert sum(map(len, other.values())) > 80
    assert {finding.code for finding in as_patterns} == {"policy-violation", "not-evaluated"}


def workload(change: Change = lambda pod: None) -> Manifest:
    """A Deployment that all policies admit, but for the change."""
    context = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod: dict[str, Any] = {"containers": [{"name": "web", "image": "web:1", "securityContext": context}]}
    change(pod)
    spec = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": copy.deepcopy(pod)}}
    metadata = {"name": "web", "namespace": "shop"}
    return Manifest.of({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}, PLACE)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        (name, form)
        for name in FAULTS
        for form in ("ValidatingPolicy", "ClusterPolicy")
        if (name, form) != ("restrict-apparmor-profiles", "ClusterPolicy")  # which looks at annotations only
    ],
)
def test_a_planted_mistake_is_found(corpus: Path, name: str, form: str) -> None:
    assert name in by_policy(found(corpus, form, [workload(FAULTS[name])]))


@pytest.mark.parametrize("form", ["ValidatingPolicy", "ClusterPolicy"])
@pytest.mark.parametrize(
    "change",
    [
        lambda pod: None,
        lambda pod: pod.update(hostPID=False, hostNetwork=False),
        lambda pod: pod["containers"][0].update(ports=[{"containerPort": 80}]),
        lambda pod: pod.update(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "x"}}]),
        lambda pod: pod.update(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}),
        container(privileged=False, procMount="Default", runAsUser=1000),
        container(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    ],
)
def test_a_near_miss_is_not_reported(corpus: Path, form: str, change: Change) -> None:
    assert by_policy(found(corpus, form, [workload(change)])) == {}
