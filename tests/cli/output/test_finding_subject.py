"""What a finding is about, the same in the lines of `smelt` and of `check`."""

from __future__ import annotations

from cluster_forge.cli.output import error_text
from cluster_forge.cli.output.findings import subject
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId


def finding(name: str = "web", field: str = "") -> Finding:
    return Finding(
        code="missing-reference",
        severity=Severity.WARNING,
        message=f"no Secret {name}",
        component=ComponentName("shop"),
        object=ObjectId(group="apps", kind="Deployment", namespace="shop", name=name),
        field=field,
        where="a.yaml:1",
    )


def test_smelt_names_the_field_as_check_does() -> None:
    one = finding(field="spec.replicas")
    assert subject.of(one) == "Deployment.apps/shop/web spec.replicas"
    assert error_text.finding_text(one).endswith(
        ": a.yaml:1: shop Deployment.apps/shop/web spec.replicas: no Secret web"
    )


def test_a_name_without_end_is_cut_with_its_length() -> None:
    text = error_text.finding_text(finding("a" * 100_000))
    assert len(text) < 600
    assert text.count("… (100,000 characters)") == 2


def test_names_that_work_are_whole() -> None:
    one = finding("a" * 253)
    assert subject.readable(one) == one
