from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Native = Callable[..., Any]


@pytest.mark.parametrize(
    ("description", "error"),
    [
        ("targt: {}", "4: unknown key 'targt', did you mean 'target'?"),
        ("target: {kubernetes: 1.30}", "4: target.kubernetes: must be text, not the number 1.30"),
        ("target: {kubernetes: 'new'}", "4: target.kubernetes: not a Kubernetes version: 'new'"),
        (
            "target: {size: smal}",
            "4: target.size: must be one of small, medium, large, not 'smal', did you mean 'small'?",
        ),
        ("target: {size: [a]}", "4: target.size: must be one of small, medium, large, not a list"),
        ("target: {architectures: []}", "4: target.architectures: must not be an empty list"),
        ("target:\n  nodes:\n  - {count: 0}", "6: target.nodes[0].count: must be at least 1"),
        ("target:\n  nodes:\n  - {memry: 3}", "6: target.nodes[0]: unknown key 'memry', did you mean 'memory'?"),
        (
            "target:\n  nodes:\n  - {cpu: '-4'}",
            "6: target.nodes[0].cpu: '-4' is not the CPU of a node",
        ),
        ("target:\n  nodes:\n  - {cpu: 4Gi}", "6: target.nodes[0].cpu: '4Gi' is not the CPU of a node"),
        ("target:\n  nodes:\n  - {cpu: 1e30}", "6: target.nodes[0].cpu: '1e+30' is not the CPU of a node"),
        (
            "target:\n  nodes:\n  - cpu: 4\n    memory: 16",
            "7: target.nodes[0].memory: '16' as the memory of a node is less than a mebibyte: without a unit it counts bytes",
        ),
        ("target:\n  nodes:\n  - {memory: -16Gi}", "6: target.nodes[0].memory: '-16Gi' is not the memory of a node"),
        ("target:\n  nodes:\n  - {memory: 0}", "6: target.nodes[0].memory: '0' is not the memory of a node"),
        (
            "target:\n  nodes:\n  - {storage: 500m}",
            "6: target.nodes[0].storage: '500m' as the storage of a node is less than a mebibyte: without a unit it counts bytes",
        ),
        ("target:\n  nodes:\n  - {pods: 0}", "6: target.nodes[0].pods: must be at least 1"),
        (
            "target:\n  nodes:\n  - {resources: {amd.com/gpu: -3}}",
            "6: target.nodes[0].resources: a node cannot have -3 of amd.com/gpu",
        ),
        (
            "target:\n  nodes:\n  - {resources: {amd.com/gpu: 0.5}}",
            "6: target.nodes[0].resources: a node cannot have 0.5 of amd.com/gpu",
        ),
        (
            "target:\n  nodes:\n  - {resources: {cpu: 4}}",
            "6: target.nodes[0].resources: 'cpu' is not an extended resource: its name has a domain, as in amd.com/gpu",
        ),
        (
            "target:\n  nodes:\n  - {taints: ['a=b:NoSchedul']}",
            "6: target.nodes[0].taints[0]: 'a=b:NoSchedul' is not a taint",
        ),
        ("gitops: {install: 'yes'}", "4: gitops.install: must be true or false, not 'yes'"),
        ("gitops: []", "4: gitops: must be a mapping, not a list"),
        ("components:\n- name: a\n  vesion: 1", "6: components[0]: unknown key 'vesion', did you mean 'version'?"),
        ("components:\n- a: 1", "5: components[0]: 'name' is missing"),
        ("components:\n- 5", "5: components[0]: must be a name or a mapping, not the number 5"),
        ("components:\n- ''", "5: components[0]: must not be empty"),
        ("components:\n- {name: a, needs: b}", "5: components[0].needs: must be a list, not 'b'"),
        ("components:\n- {name: a, wave: soon}", "5: components[0].wave: must be a whole number, not 'soon'"),
        ("components:\n- {name: a, values: {}, sizes: {huge: {}}}", "5: components[0].sizes: unknown key 'huge'"),
        (
            "components:\n- name: a\n  helm: {chart: a, vesion: 1}",
            "6: components[0].helm: unknown key 'vesion', did you mean 'version'?",
        ),
        (
            "components:\n- name: a\n  helm: {chart: a, repository: x.org}",
            "6: components[0].helm.repository: 'x.org' is not a URL: it must start with https://, http://, file://, oci://, git+https:// (put a folder or .tgz in `chart`)",
        ),
        (
            "components:\n- name: a\n  helm: {version: 1.10, chart: a}",
            "6: components[0].helm.version: must be text, not the number 1.10",
        ),
        (
            "components:\n- {name: Shop}",
            "5: components[0].name: 'Shop' is not a DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at the ends",
        ),
        ("define: [a]", "4: define[0]: must be a mapping, not 'a'"),
        ("collections: {a: [{b: c}]}", "4: collections.a[0]: must be text, not a mapping"),
        (
            "collections: {A_: []}",
            "4: collections.A_: 'A_' is not a DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at the ends",
        ),
        ("environments: {p: {target: {siz: x}}}", "4: environments.p.target: unknown key 'siz', did you mean 'size'?"),
        ("environments: {p: {kind: Stack}}", "4: environments.p: unknown key 'kind'"),
        ("checks: {ignore: [{code: x}]}", "4: checks.ignore[0]: 'reason' is missing"),
        ("image: {compression: true}", "4: image.compression: must be one of gzip, zstd, not the boolean true"),
        ("define:\n- name: a\n  namespace: null\n  needs: [null]", "7: define[0].needs[0]: must be text, not empty"),
    ],
)
def test_schema_errors_have_their_position(native: Native, description: str, error: str) -> None:
    assert native(description + "\n").errors()[0] == f"input/config.yaml:{error}"


@pytest.mark.parametrize(
    ("description", "fix"),
    [
        ("target: {kubernetes: 1.30}", 'put it in quotes: "1.30"'),
        ("extends: ../base.yaml", "write it as a list: [../base.yaml]"),
        ("gitops: {install: 'true'}", "write it without quotes"),
        (
            "components: [{name: a, secrets: [{name: s, keys: [user, password]}]}]",
            "write a mapping: `keys: {user: what it is, password: what it is}`",
        ),
        (
            "components: [{name: a, secrets: [{name: s, keys: password}]}]",
            "write a mapping: `keys: {password: what it is}`",
        ),
        (
            "components: [{name: a, secrets: [{name: s, keys: [{name: password}]}]}]",
            "write a mapping: `keys: {NAME: what it is}`",
        ),
        ("labels: [team]", "write a mapping: `labels: {team: …}`"),
        ("labels: [a=b]", "write a mapping: `labels: {NAME: …}`"),
        ("size: small", "write `size` below `target`: `target: {size: …}`"),
        ("gitops: {size: small}", "write `size` below `target`: `target: {size: …}`"),
        (
            "target: {domain: 'https://user:secret@example.com:80/x'}",
            "write `domain: example.com`: user interfaces get names below it",
        ),
        ("engine: none", "write `engine` below `gitops`: `gitops: {engine: …}`"),
        ("kubeVersion: '1.33'", "write `kubernetes` below `target`: `target: {kubernetes: …}`"),
        ("releases: []", "write `components` instead of `releases`"),
        ("components: [{name: a, set: {}}]", "write `values` instead of `set`"),
        ("components: [{name: a, dependsOn: [b]}]", "write `needs` instead of `dependsOn`"),
        ("components: [{name: a, repoURL: x}]", "write `repository` below `helm`: `helm: {repository: …}`"),
        ("components: [{name: a, helm: ./x}]", "write `helm: {chart: ./x}`"),
        (
            "components: [{name: a, values: f.yaml}]",
            "write `valuesFiles: [f.yaml]`: `values` has the values themselves",
        ),
        (
            "target: {kubernetes: latest}",
            'write `kubernetes: "1.33"`, or what `kubectl version` prints: `v1.33.4+k3s1`',
        ),
        (
            "target: {domain: '*.Example.com/'}",
            "write `domain: example.com`: user interfaces get names below it",
        ),
    ],
)
def test_schema_errors_have_a_fix(native: Native, description: str, fix: str) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        native(description).load()
    assert getattr(caught.value, "fix", None) == fix


def test_api_version_and_kind_are_required(legacy: Native) -> None:
    assert legacy("name: a\n").errors() == [
        "input/config.yaml:1: 'apiVersion' is missing",
        "input/config.yaml:1: 'kind' is missing",
    ]
    assert legacy("apiVersion: cluster-forge/v2\nkind: Stack\nname: a\n").errors() == [
        "input/config.yaml:1: apiVersion: must be cluster-forge/v1, not 'cluster-forge/v2', did you mean 'cluster-forge/v1'?"
    ]


def test_an_empty_key_is_ignored(native: Native) -> None:
    stack = native("target:\ngitops: {url: }\ncomponents:\ndefine:\ncollections:\n").load().stack
    assert stack.components == ()
    assert stack.gitops.url == ""


@pytest.mark.parametrize("domain", ["", "example.com", "a.b-c.example.com", "internal", "127.0.0.1.nip.io"])
def test_a_domain_is_a_dns_name(native: Native, domain: str) -> None:
    loaded = native(f"target: {{domain: '{domain}'}}\ncomponents: []\n").load()
    assert loaded.stack.target.domain == domain


@pytest.mark.parametrize(
    "domain",
    [
        "not a domain!",
        "https://example.com/",
        "*.example.com",
        "Example.com",
        "example.com.",
        "10.0.0.1",
        "a..b",
        "${d}",
        "a_b",
        "a" * 64,
    ],
)
def test_anything_else_is_not_a_domain(native: Native, domain: str) -> None:
    (error,) = native(f"target: {{domain: '{domain}'}}\n").errors()
    assert error == f"input/config.yaml:4: target.domain: {domain!r} is not a DNS name"


@pytest.mark.parametrize(
    ("text", "release", "suffix"),
    [
        ("1.33", "v1.33.0", ""),
        ("v1.31.4-gke.100", "v1.31.4", "-gke.100"),
        ("v1.33.4+k3s1", "v1.33.4", "+k3s1"),
        ("1.30.0-eks-a18cd3a", "v1.30.0", "-eks-a18cd3a"),
        ("v1.34.1+rke2r1", "v1.34.1", "+rke2r1"),
    ],
)
def test_the_version_of_a_distribution_keeps_its_suffix(native: Native, text: str, release: str, suffix: str) -> None:
    version = native(f"target: {{kubernetes: '{text}'}}\ncomponents: []\n").load().stack.target.kubernetes
    assert (version.release, version.suffix, str(version)) == (release, suffix, release + suffix)


@pytest.mark.parametrize("text", ["1.33-gke", "1", "v1.33.4-", "1.33.4 ", "1.33.4+", "1.³", "1.33.4.5", "1.33.4\\n"])
def test_anything_else_is_not_a_kubernetes_version(native: Native, text: str) -> None:
    (error,) = native(f'target: {{kubernetes: "{text}"}}\n').errors()
    assert "not a Kubernetes version" in error
