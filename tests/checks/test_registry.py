"""The registry has every check of the room, and each reports a known finding code."""

from __future__ import annotations

import pkgutil
from types import ModuleType

import pytest

from cluster_forge.checks import acceptance, collisions, production, reading, references, registry
from cluster_forge.manifests.finding import CODES

SHARED = {"checked_component", "missing", "own_components", "reachability"}


def names(package: ModuleType) -> set[str]:
    return {module.name for module in pkgutil.iter_modules(package.__path__)} - SHARED


@pytest.mark.parametrize(
    ("package", "checks"),
    [
        (production, registry.PRODUCTION),
        (references, registry.REFERENCES),
        (collisions, registry.COLLISIONS),
        (acceptance, (*registry.ACCEPTANCE, *reading.CHECKS, registry.SCHEMAS[0], registry.SCHEMAS[2])),
    ],
    ids=str,
)
def test_every_module_with_a_check_is_registered(package: ModuleType, checks: tuple[ModuleType, ...]) -> None:
    assert sorted(check.__name__.rpartition(".")[2] for check in checks) == sorted(names(package))


def test_production_checks_have_different_codes_of_the_vocabulary() -> None:
    codes = [check.CODE for check in registry.PRODUCTION]  # type: ignore[attr-defined]
    assert len(set(codes)) == len(codes)
    assert set(codes) <= CODES
