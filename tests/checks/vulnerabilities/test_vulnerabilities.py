"""Reports of scanners: read in each form, joined to the images of a stack, and left out where OpenVEX says so."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.security.security_objects import manifest, stack, workload

from cluster_forge.checks.vulnerabilities import joined, openvex, reports, stack_images
from cluster_forge.checks.vulnerabilities.joined import JoinedReports
from cluster_forge.checks.vulnerabilities.names import ImageNames
from cluster_forge.checks.vulnerabilities.vulnerability import Degree
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.manifests.manifest import Manifest

IMAGE = "registry.example.com/shop/web:1.0.0"
DIGEST = f"sha256:{'a' * 64}"


def trivy(*found: dict[str, Any], image: str = IMAGE, **metadata: Any) -> dict[str, Any]:
    results = [{"Target": image, "Vulnerabilities": list(found)}, {"Target": "without"}]
    return {"SchemaVersion": 2, "ArtifactName": image, "Metadata": metadata, "Results": results}


def found(
    id_: str = "CVE-2026-1", severity: str = "CRITICAL", package: str = "openssl", fixed: str = "3.0.2"
) -> dict[str, Any]:
    return {
        "VulnerabilityID": id_,
        "PkgName": package,
        "InstalledVersion": "3.0.1",
        "FixedVersion": fixed,
        "Severity": severity,
    }


GRYPE = {
    "matches": [
        {
            "vulnerability": {"id": "GHSA-1", "severity": "High", "fix": {"versions": ["2"], "state": "fixed"}},
            "relatedVulnerabilities": [{"id": "CVE-2026-1"}],
            "artifact": {"name": "openssl", "version": "1"},
        },
        {"vulnerability": {"id": "CVE-2", "severity": "Negligible", "fix": {"versions": [], "state": "wont-fix"}}},
    ],
    "source": {
        "type": "image",
        "target": {"userInput": IMAGE, "repoDigests": [f"registry.example.com/shop/web@{DIGEST}"]},
    },
}
KEPT = {
    "apiVersion": "aquasecurity.github.io/v1alpha1",
    "kind": "VulnerabilityReport",
    "report": {
        "registry": {"server": "registry.example.com"},
        "artifact": {"repository": "shop/web", "tag": "1.0.0"},
        "vulnerabilities": [
            {"vulnerabilityID": "CVE-2026-1", "severity": "CRITICAL", "resource": "openssl", "fixedVersion": "2"}
        ],
    },
}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (trivy(found()), [("CVE-2026-1", Degree.CRITICAL, "3.0.2")]),
        (trivy(), []),
        (GRYPE, [("GHSA-1", Degree.HIGH, "2"), ("CVE-2", Degree.LOW, "")]),
        (KEPT, [("CVE-2026-1", Degree.CRITICAL, "2")]),
        ({"kind": "VulnerabilityReportList", "items": [KEPT]}, [("CVE-2026-1", Degree.CRITICAL, "2")]),
        ({"kind": "List", "items": [KEPT]}, [("CVE-2026-1", Degree.CRITICAL, "2")]),
        ([trivy(found(severity="other"))], [("CVE-2026-1", Degree.UNKNOWN, "3.0.2")]),
    ],
)
def test_each_form_is_read(content: object, expected: list[tuple[str, Degree, str]]) -> None:
    (image,) = reports.read(content, "report.json")
    assert [(one.id, one.degree, one.fixed) for one in image.vulnerabilities] == expected
    assert IMAGE in ImageNames(image.names)


@pytest.mark.parametrize(
    "content",
    [None, "x", 3, {}, {"kind": "Deployment"}, [{}], {"kind": "List", "items": [{"kind": "Pod"}]}, {"matches": 1}],
)
def test_what_is_not_a_report_is_an_error(content: object) -> None:
    with pytest.raises(DescriptionError, match="not a report") as caught:
        reports.read(content, "report.json")
    assert (caught.value.where, "trivy image" in str(caught.value.fix)) == ("report.json", True)


def test_a_report_with_too_much_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_VULNERABILITIES", 2)
    with pytest.raises(DescriptionError, match="too large"):
        reports.read(trivy(found("1"), found("2"), found("3")), "report.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_values_of_any_type_are_read_or_refused(one: Any, other: Any) -> None:
    contents = (
        {
            "SchemaVersion": 2,
            "ArtifactName": one,
            "Metadata": other,
            "Results": [{"Vulnerabilities": [one, other]}],
        },
        {"matches": [one, other], "source": {"target": one}},
        {**KEPT, "report": one},
    )
    for content in contents:
        with contextlib.suppress(DescriptionError):
            reports.read(content, "x")
    openvex.read(
        {"@context": "https://openvex.dev/ns", "statements": [one, {"vulnerability": other, "products": one}]}, "x"
    )


@pytest.mark.parametrize(
    "content",
    [
        {**trivy(found()), "SchemaVersion": 3},
        {**trivy(found()), "SchemaVersion": "2"},
        {**trivy(found()), "Results": {"Vulnerabilities": [found()]}},
        {**trivy(found()), "Results": [found(), 3]},
        {**trivy(found()), "Results": [{"Vulnerabilities": {"0": found()}}]},
        {**trivy(found()), "Results": [{"Vulnerabilities": ["CVE-2026-1"]}]},
        trivy({"Severity": "CRITICAL"}),
        trivy(found(id_="")),
        {**GRYPE, "matches": ["CVE-2026-1"]},
        {**GRYPE, "matches": [{"vulnerability": "CVE-2026-1"}]},
        {**KEPT, "report": None},
        {**KEPT, "report": {"vulnerabilities": "none"}},
    ],
)
def test_a_report_that_would_pass_for_harmless_is_refused(content: object) -> None:
    with pytest.raises(DescriptionError) as caught:
        reports.read(content, "report.json")
    assert (caught.value.where, bool(caught.value.fix)) == ("report.json", True)


@pytest.mark.parametrize("content", [{**trivy(), "Results": None}, {**GRYPE, "matches": []}, trivy(image="")])
def test_a_report_without_vulnerabilities_is_read(content: object) -> None:
    (image,) = reports.read(content, "report.json")
    assert image.vulnerabilities == ()


def join(
    *contents: object, manifests: list[Manifest] | None = None, vex: object = None, ignore_unfixed: bool = False
) -> JoinedReports:
    scanned = [image for content in contents for image in reports.read(content, "report.json")]
    statements = openvex.read(vex, "vex.json") if vex else []
    uses = stack_images.uses(stack(*(manifests or [workload(container={"image": IMAGE})])))
    return joined.joined(uses, scanned, statements, ignore_unfixed=ignore_unfixed)


def ids(result: JoinedReports) -> list[str]:
    return [one.id for image in result.affected for one in image.vulnerabilities]


def test_an_image_has_its_components_and_fields() -> None:
    (image,) = join(trivy(found())).affected
    (use,) = image.uses
    assert (use.manifest.provenance.component, use.field) == ("web", "spec.template.spec.containers[0].image")
    assert (image.has_any(Degree.CRITICAL), image.has_any(Degree.HIGH)) == (True, True)


@pytest.mark.parametrize(
    ("written", "scanned", "is_same"),
    [
        ("nginx:1", "docker.io/library/nginx:1", True),
        ("nginx:1", "index.docker.io/library/nginx:1", True),
        ("nginx:1", "nginx:2", False),
        ("nginx:1", "example.com/nginx:1", False),
        (f"nginx:1@{DIGEST}", f"nginx@{DIGEST}", True),
        (f"nginx:1@{DIGEST}", "nginx:1", True),
        (f"nginx:1@{DIGEST}", f"nginx@sha256:{'b' * 64}", False),
        (f"mirror.example.com/library/nginx:1@{DIGEST}", f"nginx@{DIGEST}", True),
        ("mirror.example.com/docker.io/library/nginx:1", "nginx:1", True),
        ("nginx:1", "mirror.example.com/copies/docker.io/library/nginx:1", True),
        ("mirror.example.com/docker.io/library/nginx:1", "nginx:2", False),
        ("mirror.example.com/library/nginx:1", "nginx:1", False),
        ("mirror.example.com/adocker.io/library/nginx:1", "nginx:1", False),
        (f"mirror.example.com/library/nginx@{DIGEST}", f"nginx@sha256:{'b' * 64}", False),
    ],
)
def test_images_are_compared_as_runtimes_read_them(written: str, scanned: str, is_same: bool) -> None:
    result = join(trivy(found(), image=scanned), manifests=[workload(container={"image": written})])
    assert (bool(result.affected), bool(result.unscanned), bool(result.others)) == (is_same, not is_same, not is_same)


def test_several_reports_about_one_image_are_put_together() -> None:
    result = join(trivy(found(), found("CVE-2026-2", "LOW")), trivy(found()), KEPT)
    assert ids(result) == ["CVE-2026-1", "CVE-2026-1", "CVE-2026-2"]  # KEPT has another installed version


def test_what_has_no_fix_may_be_left_out() -> None:
    content = trivy(found(), found("CVE-2026-2", fixed=""))
    assert (ids(join(content)), ids(join(content, ignore_unfixed=True))) == (
        ["CVE-2026-1", "CVE-2026-2"],
        ["CVE-2026-1"],
    )


def test_what_is_exposed_or_reaches_the_node_comes_first() -> None:
    def one(name: str, **pod: Any) -> Manifest:
        containers = [{"name": "web", "image": f"example.com/{name}:1", **pod}]
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
        return manifest("apps/v1", "Deployment", name, spec={"template": template})

    service = manifest("v1", "Service", "exposed", spec={"selector": {"app": "exposed"}})
    backend = {"service": {"name": "exposed", "port": {"number": 80}}}
    ingress = manifest(
        "networking.k8s.io/v1", "Ingress", spec={"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]}
    )
    manifests = [one("bad"), one("exposed"), one("node", securityContext={"privileged": True}), service, ingress]
    contents = [trivy(found(severity="LOW"), image=f"example.com/{name}:1") for name in ("exposed", "node")]
    result = join(trivy(found(), image="example.com/bad:1"), *contents, manifests=manifests)
    assert [image.image.split("/")[1] for image in result.affected] == ["exposed:1", "node:1", "bad:1"]
    assert [(image.is_exposed, image.reaches_node) for image in result.affected] == [
        (True, False),
        (False, True),
        (False, False),
    ]


PURL = f"pkg:oci/web@{DIGEST}?repository_url=registry.example.com/shop/web"


def vex(status: str = "not_affected", product: Any = IMAGE, name: Any = "CVE-2026-1", **more: Any) -> dict[str, Any]:
    about = {"name": name} if isinstance(name, str) else name
    statement = {"vulnerability": about, "products": [product], "status": status, **more}
    return {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-01-01T00:00:00Z", "statements": [statement]}


@pytest.mark.parametrize(
    ("document", "is_left_out"),
    [
        (vex(), True),
        (vex("fixed"), True),
        (vex("affected"), False),
        (vex("under_investigation"), False),
        (vex(product={"@id": IMAGE}), True),
        (vex(product={"@id": PURL}), True),
        (vex(product={"@id": PURL.replace("%3A", ":").partition("?")[0]}), True),
        (vex(product={"@id": "pkg:oci/web?repository_url=registry.example.com/shop&tag=1.0.0"}), True),
        (vex(product={"@id": "pkg:oci/web"}), True),
        (vex(product={"@id": "pkg:oci/other"}), False),
        (vex(product="registry.example.com/shop/web:2.0.0"), False),
        (vex(product={"@id": IMAGE, "subcomponents": [{"@id": "pkg:apk/alpine/openssl@3.0.1"}]}), True),
        (vex(product={"@id": IMAGE, "subcomponents": [{"@id": "pkg:apk/alpine/zlib@1"}]}), False),
        (vex(name="CVE-2026-9"), False),
        (vex(name={"name": "GHSA-1", "aliases": ["CVE-2026-1"]}), True),
    ],
)
def test_openvex_takes_out_what_does_no_harm(document: dict[str, Any], is_left_out: bool) -> None:
    content = trivy(found(), RepoDigests=[f"registry.example.com/shop/web@{DIGEST}"])
    result = join(content, vex=document)
    assert (ids(result) == []) is is_left_out
    assert result.affected[0].harmless == int(is_left_out)


@pytest.mark.parametrize(
    ("copy", "is_left_out"),
    [
        ("mirror.example.com/registry.example.com/shop/web:1.0.0", True),
        ("mirror.example.com/registry.example.com/shop/web:2.0.0", False),
        ("mirror.example.com/shop/web:1.0.0", False),
    ],
)
@pytest.mark.parametrize("product", [IMAGE, "pkg:oci/web?repository_url=registry.example.com/shop/web&tag=1.0.0"])
def test_openvex_counts_for_a_mirror_that_names_the_registry(copy: str, product: str, is_left_out: bool) -> None:
    names = ImageNames([copy])
    statements = openvex.read(vex(product={"@id": product}), "vex.json")
    vulnerability = reports.read(trivy(found()), "report.json")[0].vulnerabilities[0]
    assert openvex.is_harmless(vulnerability, names, statements) is is_left_out


def test_the_latest_statement_counts() -> None:
    document = vex()
    document["statements"].insert(
        0, {**document["statements"][0], "status": "affected", "timestamp": "2026-02-01T00:00:00Z"}
    )
    assert ids(join(trivy(found()), vex=document)) == ["CVE-2026-1"]


def test_times_of_other_zones_are_compared_as_instants() -> None:
    document = vex()
    first = document["statements"][0]
    document["statements"] = [
        {**first, "status": "not_affected", "timestamp": "2026-02-02T01:00:00+12:00"},
        {**first, "status": "affected", "timestamp": "2026-02-01T23:00:00Z"},
        {**first, "status": "not_affected", "timestamp": "yesterday"},
    ]
    assert ids(join(trivy(found()), vex=document)) == ["CVE-2026-1"]


@pytest.mark.parametrize("content", [None, [], {}, {"@context": "https://openvex.dev/ns"}, {"statements": []}])
def test_what_is_not_openvex_is_an_error(content: object) -> None:
    with pytest.raises(DescriptionError, match="not an OpenVEX document"):
        openvex.read(content, "vex.json")
