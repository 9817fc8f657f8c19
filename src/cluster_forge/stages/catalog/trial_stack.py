"""Small stacks of catalog components, wired to each other, with their objects in namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cluster_forge.catalog import wiring
from cluster_forge.catalog.component_format import CatalogComponent
from cluster_forge.catalog.stack_context import StackComponent, StackContext
from cluster_forge.catalog.trial_plan import MINORS
from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.exemption import Exemption
from cluster_forge.checks.inventory import Place
from cluster_forge.manifests import hooks, normalize
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Stack
from cluster_forge.stack.operated_kind import OperatedKind
from cluster_forge.stages.catalog.run_time_objects import operated_kinds
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

SHIPPED = (hooks.HookUse.NONE, hooks.HookUse.INSTALL)


def exemptions_of(component: CatalogComponent) -> tuple[Exemption, ...]:
    """The ``exceptions`` of a component's file, for checks."""
    return tuple(
        Exemption(code=exception.rule, objects=tuple(exception.patterns)) for exception in component.exceptions
    )


@dataclass(frozen=True)
class TrialStack:
    """The objects of a stack by component; ``secrets`` are those that it expects, or its components create."""

    context: StackContext
    parts: Mapping[str, tuple[Manifest, ...]]
    secrets: frozenset[Place]
    operated: tuple[OperatedKind, ...]

    @cached_property
    def manifests(self) -> list[Manifest]:
        return [manifest for part in self.parts.values() for manifest in part]

    @cached_property
    def findings(self) -> list[Finding]:
        """References to what is not in the stack, except for what the catalog accepts."""
        members = self.context.components
        checked = CheckedStack(
            Stack(name="trial", target=self.context.target),
            self.manifests,
            waves={},
            secrets=self.secrets,
            operated=self.operated,
            is_closed=True,
        )
        return registry.check_references(
            checked, {name: exemptions_of(member.component) for name, member in members.items()}
        )

    def findings_about(self, name: str) -> list[Finding]:
        """The findings about a component's objects."""
        return [finding for finding in self.findings if finding.component == name]


@dataclass(frozen=True)
class TrialStacks:
    """Builds small stacks of components that ``trials`` renders."""

    trials: TrialRenderer

    def of(
        self, *names: str, size: str = "small", minor: int = 0, domain: str = "", about: Sequence[str] = ()
    ) -> TrialStack:
        """A stack of just these components, on the newest Kubernetes that all of them support.

        Components that it is not ``about`` are rendered only if the others mention their namespace or APIs.
        """
        context = self.trials.plans.context(names, minor or self._newest(names), size, domain=domain)
        return self._build(context, about or names)

    def whole(self, *names: str, size: str = "small", minor: int = 0) -> TrialStack:
        """A stack about these components, with what they need."""
        plans, used_minor = self.trials.plans, minor or self._newest(names)
        needed = [
            provider
            for name in names
            for provider in plans.providers_of_needs(plans.library.component(name), size, used_minor)
        ]
        return self.of(*dict.fromkeys((*names, *needed)), size=size, minor=used_minor, about=names)

    def _newest(self, names: Sequence[str]) -> int:
        plans = self.trials.plans
        return max(minor for minor in MINORS if all(plans.stack_component(name, minor) for name in names))

    def _build(self, context: StackContext, about: Sequence[str]) -> TrialStack:
        members = context.components
        parts = {name: self._part(context, members[name]) for name in about}
        text = b"".join(manifest.document.json for part in parts.values() for manifest in part)
        for name, member in members.items():
            groups = [capability for capability in member.component.provides if "." in capability]
            if name not in parts and any(mention.encode() in text for mention in (member.namespace, *groups)):
                parts[name] = self._part(context, member)
        scopes = Scopes.of(context.target.kubernetes.minor, [manifest for part in parts.values() for manifest in part])
        return TrialStack(
            context=context,
            parts={
                name: tuple(normalize.placed(manifest, members[name].namespace, scopes) for manifest in part)
                for name, part in parts.items()
            },
            secrets=frozenset(place for member in members.values() for place in _secrets(member, context)),
            operated=operated_kinds(self.trials.plans.library.operates),
        )

    def _part(self, context: StackContext, member: StackComponent) -> tuple[Manifest, ...]:
        minor = context.target.kubernetes.minor
        definers = [
            other.name
            for other in context.components.values()
            if other is not member and any("." in capability for capability in other.component.provides)
        ]
        apis = self.trials.apis(definers, minor, "small")  # CRDs are the same for all sizes
        manifests = self.trials.rendered(member.name, wiring.layers(member, context), minor, apis)
        return tuple(manifest for manifest in manifests if hooks.use_of(manifest.facts.hook) in SHIPPED)


def _secrets(member: StackComponent, context: StackContext) -> Iterator[Place]:
    """The Secrets that a component expects, or creates itself at run time."""
    for secret in wiring.layers(member, context)[0].plain["secrets"]:
        yield secret.get("namespace", member.namespace), secret["name"]
    for name in member.component.makes_secrets:
        yield member.namespace, name
