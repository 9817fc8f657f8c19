"""The addresses that the sources of a component are fetched from."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.stack.component import Component

_ELSEWHERE = ("https://", "http://", "oci://", "git+", "ssh://")


def of(component: Component) -> Iterator[str]:
    """The address of its chart repository, of its kustomization and what that fetches, and of each of its manifests, as
    described, also those of its ``Upstream``.
    """
    if component.kustomize:
        fetched = (component.kustomize.path, *component.kustomize.urls)
        yield from (address for address in fetched if address.startswith(_ELSEWHERE))
    for source in (component, component.upstream):
        if source:
            named = [source.helm.repository, source.helm.chart] if source.helm else []
            yield from filter(_is_elsewhere, (*named, *source.manifests))


def _is_elsewhere(address: str) -> bool:
    return address.startswith(_ELSEWHERE)
