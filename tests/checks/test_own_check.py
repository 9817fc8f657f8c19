"""What is advised where a check of one's own has no value for an object."""

from __future__ import annotations

import pytest
from tests.checks.stack_objects import checked, resource

from cluster_forge.checks.policies import own_check
from cluster_forge.checks.policies.own_check import OwnCheck


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("object.data.colr == 'blue'", "has(object.spec.x)"),
        ("object.data.color > 3", "type(object.spec.x)"),
        ("object.data.color", "type(object.spec.x)"),
        (f"{'[1,2,3,4,5,6,7,8,9].all(a, ' * 7}a > 0{')' * 7}", "select fewer objects"),
    ],
)
def test_the_advice_fits_what_went_wrong(expression: str, advice: str) -> None:
    check = OwnCheck(name="color", expression=expression, where="input/checks/color.yaml:1", labels={})
    (finding,) = own_check.findings(checked(resource("v1", "ConfigMap", data={"color": "blue"})), [check])
    assert finding.code == "not-evaluated"
    assert advice in finding.fix
