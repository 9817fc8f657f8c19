"""Which version of a component fits a Kubernetes version, and the chart of that version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_forge.catalog.field_types import minors

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import CatalogComponent, PartialHelm, Version


def chosen_version(component: CatalogComponent, minor: int, wanted: str = "") -> Version | None:
    """The newest version for a minor version of Kubernetes, or the ``wanted`` one; None if there is none.

    A ``wanted`` version is returned even if it does not support that Kubernetes version.
    """
    candidates = [version for version in component.versions if wanted in ("", version.version)]
    fitting = [version for version in candidates if supports(version, minor)]
    return next(iter(fitting or (candidates if wanted else ())), None)


def supports(version: Version, minor: int) -> bool:
    """Whether a version supports a minor version of Kubernetes."""
    return minor in minors(version.kubernetes)


def chart_of(component: CatalogComponent, version: Version) -> dict[str, str]:
    """``helm`` as a description has it; empty for a component without a chart."""
    keys: dict[str, str] = {}
    helm: PartialHelm
    for helm in (component.helm, version.helm):
        keys |= {key: value for key, value in helm.model_dump().items() if value}
    return {**keys, "version": version.version} if keys else {}


def release_of(component: CatalogComponent, version: Version) -> str:
    """The name of its Helm release; by default the component's."""
    return chart_of(component, version).get("release") or component.name


def supported_by(component: CatalogComponent) -> str:
    """The versions with the Kubernetes versions that they support: ``1.2.0 (1.28+), 1.1.0 (1.25-1.27)``."""
    return ", ".join(f"{version.version} ({version.kubernetes})" for version in component.versions)
