"""Completing a stack: what its catalog components and its GitOps engine need is found in it, or added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cluster_forge.catalog import notices, placeholders, versions, wiring
from cluster_forge.catalog.component_format import CatalogComponent, Exclusion, Need, Version
from cluster_forge.catalog.library import Library
from cluster_forge.catalog.stack_context import StackComponent, StackContext
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.catalog_port import CompletedStack, Frame
from cluster_forge.stack.model import Notice
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True, slots=True)
class Requirer:
    """Who needs a component, as messages name it, where it is written, and what to write if the cluster has the need."""

    name: str
    where: str
    instead: str


@dataclass
class StackCompletion:
    """One completion: the components of ``named`` (each with where it is named), then what these need, in `order`.

    ``own`` is what the description says about a component.
    """

    library: Library
    named: Mapping[str, str]
    own: Mapping[str, Positioned]
    frame: Frame
    order: dict[str, None] = field(default_factory=dict)
    present: dict[str, CatalogComponent] = field(default_factory=dict)
    needs: dict[str, list[str]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    errors: list[ForgeError] = field(default_factory=list)

    def without_layers(self) -> CompletedStack:
        """The stack without its components' layers."""
        return self._completed(self._members(), {})

    def with_layers(self) -> CompletedStack:
        """The stack, each component with the layers of its description."""
        members = self._members()
        context = StackContext(
            target=self.frame.target,
            components=members,
            cluster_provides=self._brought.union(self.frame.target.provides),
            preferred={name: self._preference(name) for name in self.library.capabilities},
        )
        layers = {}
        for name, member in members.items():
            self.notices += notices.on(member.component, context, self._where(name) or "")
            try:
                layers[name] = wiring.layers(member, context, self._needed(name, context))
            except DescriptionError as error:
                self.errors.append(error)
        layers |= self._namesakes()
        completed = self._completed(layers, layers)
        return replace(completed, facts=placeholders.facts(context)) if self.frame.has_facts else completed

    def _completed(self, valid: Mapping[str, object], layers: Mapping[str, tuple[Positioned, ...]]) -> CompletedStack:
        return CompletedStack(
            stack=tuple(name for name in self.order if name not in self.present or name in valid),
            layers=layers,
            notices=tuple(self.notices),
            errors=tuple(self.errors),
            provides=self._provided(),
            brought=self._brought,
        )

    def _namesakes(self) -> dict[str, tuple[Positioned, ...]]:
        """What components of the user's own create at run time, if they are called like one of the catalog (ADR 0024)."""
        layers: dict[str, tuple[Positioned, ...]] = {}
        for name in self.order:
            if name in self.library.names and name not in self.present:
                try:
                    created = wiring.run_time_objects(self.library.component(name))
                except (ForgeError, ExceptionGroup):
                    continue  # an invalid file matters only to those who use it
                if created:
                    layers[name] = (Positioned.of({"name": name, **created}, Positioned({}, f"catalog:{name}")),)
        return layers

    @cached_property
    def _brought(self) -> frozenset[str]:
        """What the target's distribution brings."""
        return self.library.brought_by(self.frame.target.kubernetes.suffix)

    def _provided(self) -> dict[str, tuple[str, ...]]:
        """What each component provides; one of the user's own is taken to provide what the catalog's of that name does."""
        provided = {name: tuple(component.provides) for name, component in self.present.items()}
        for name in self.order:
            if name not in provided and name in self.library.names:
                try:
                    provided[name] = tuple(self.library.component(name).provides)
                except (ForgeError, ExceptionGroup):
                    continue  # an invalid file matters only to those who use it
        return provided

    def _members(self) -> dict[str, StackComponent]:
        for name in self.named:
            self._add(name)
        self._resolve_engine()
        for name in self._growing():
            self._resolve_needs(self.present[name])
        self._check_exclusions()
        members = ((name, self._member(name)) for name in self.present)
        return {name: member for name, member in members if member is not None}

    def _needed(self, name: str, context: StackContext) -> list[str]:
        """What must be deployed before a component: what it needs, and the store of its Secrets."""
        needs = self.needs.get(name, [])
        store = context.provider(wiring.SECRET_STORE)
        if store and store.name not in (name, *needs) and wiring.from_store(self.present[name], context):
            return [*needs, store.name]
        return needs

    def _growing(self) -> Iterator[str]:
        """Every component of the catalog, including those that are added during the iteration."""
        done: set[str] = set()
        while left := [name for name in self.present if name not in done]:
            done.add(left[0])
            yield left[0]

    def _add(self, name: str) -> None:
        self.order[name] = None
        own = self.own.get(name)
        if name not in self.library.names or (own and (own.at(("helm",)).get("chart") or own.get("manifests"))):
            return
        try:
            self.present[name] = self.library.component(name)
        except (ForgeError, ExceptionGroup) as error:
            self.errors += [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]

    def _resolve_needs(self, component: CatalogComponent) -> None:
        """Find what a component needs in the stack, or add it."""
        for need in component.needed:
            if self.frame.target.size not in need.sizes or need.name in self.frame.target.provides:
                continue
            provider = self._present_provider(need.name)
            if not provider and need.name not in self._brought:
                instead = f"target: {{provides: [{need.name}]}}"
                requirer = Requirer(component.name, self._where(component.name) or "", instead)
                provider = self._added_provider(need, requirer)
            if provider and provider != component.name:
                self.needs.setdefault(component.name, []).append(provider)

    def _resolve_engine(self) -> None:
        """Add the GitOps engine that the stack installs, unless a component brings it already."""
        engine = self.frame.engine
        if not engine or engine in self.frame.target.provides or self._present_provider(engine):
            return
        if not any(map(self._has_chart_of, self._preference(engine))):
            self._added_provider(Need(name=engine), Requirer("gitops.engine", self.frame.where, "install: false"))

    def _has_chart_of(self, provider: str) -> bool:
        """Whether a component of the user's own has the chart of a catalog component, under a name of its own."""
        if provider not in self.library.names:
            return False
        chart = self.library.component(provider).helm.chart
        charts = {own.at(("helm",)).string_of("chart") for name, own in self.own.items() if name in self.order}
        return chart in {own.rpartition("/")[2] for own in charts}

    def _present_provider(self, name: str) -> str:
        """The component of the stack that is called so or provides it; one of the user's own, if it is called like one
        of the catalog that does (ADR 0024).
        """
        if name in self.order:
            return name
        for provider in self._preference(name):
            if provider in self.order and (provider not in self.present or name in self.present[provider].provides):
                return provider
        return next((provider for provider, other in self.present.items() if name in other.provides), "")

    def _preference(self, name: str) -> Sequence[str]:
        capability = self.library.capabilities.get(name)
        if capability is None:
            return self.library.providers(name)
        return next(
            (names for size, names in capability.sizes.items() if size == self.frame.target.size), capability.providers
        )

    def _added_provider(self, need: Need, requirer: Requirer) -> str:
        """The component that is added because something needs it; empty if there is none, or it is skipped."""
        candidates = [name for name in self._preference(need.name) if name in self.library.names]
        fitting = [name for name in candidates if self._fits(name)]
        name = next(iter(fitting or candidates), "")
        if not name:
            self.errors.append(
                DescriptionError(
                    f"{requirer.name} needs {need.name}, which no component of the catalog provides",
                    where=requirer.where or None,
                    fix=f"if the cluster has it already, write `{requirer.instead}`",
                )
            )
        if not name or name in self.frame.skipped:
            return ""
        message = _required_by(requirer.name, need, name, [other for other in fitting if other != name])
        self.notices.append(Notice(code="pulled-in", message=message, component=name, where=requirer.where))
        self._add(name)
        return name

    def _fits(self, name: str) -> bool:
        component = self.library.component(name)
        excluded = {exclusion.name for exclusion in component.excludes} & self.present.keys()
        is_excluded = any(exclusion.name == name for other in self.present.values() for exclusion in other.excludes)
        minor = self.frame.target.kubernetes.minor
        return not excluded and not is_excluded and bool(versions.chosen_version(component, minor))

    def _check_exclusions(self) -> None:
        """One error for each pair of components that exclude each other."""
        pairs: dict[frozenset[str], tuple[CatalogComponent, str, Exclusion]] = {}
        for component in self.present.values():
            for exclusion in component.excludes:
                others = [exclusion.name] if exclusion.name in self.order else []
                others += [name for name, other in self.present.items() if exclusion.name in other.provides]
                for other in others:
                    if other != component.name:
                        pairs.setdefault(frozenset((component.name, other)), (component, other, exclusion))
        for component, other, exclusion in pairs.values():
            self.errors.append(
                DescriptionError(
                    f"{component.name} and {other} exclude each other: {exclusion.reason.rstrip('.')}",
                    where=self._where(component.name) or self._where(other),
                    fix=f"remove one of them from `components`, or pass --skip {other}",
                )
            )

    def _member(self, name: str) -> StackComponent | None:
        component, own = self.present[name], self.own.get(name)
        minor = self.frame.target.kubernetes.minor
        wanted = own.string_of("version") if own else ""
        version = versions.chosen_version(component, minor, wanted) or versions.chosen_version(component, minor)
        if version is None or not versions.supports(version, minor):
            self.errors.append(self._unsupported(component, version))
            return None
        return StackComponent(
            component=component,
            version=version,
            namespace=(own.string_of("namespace") if own else "") or component.namespace,
            release=versions.release_of(component, version),
        )

    def _unsupported(self, component: CatalogComponent, wanted: Version | None) -> DescriptionError:
        minor = self.frame.target.kubernetes.minor
        better = versions.chosen_version(component, minor)
        subject = (
            f"{component.name} {wanted.version} does not support"
            if wanted
            else f"no version of {component.name} supports"
        )
        fix = f"use version {better.version}" if better else f"leave it out (--skip {component.name})"
        return DescriptionError(
            f"{subject} Kubernetes 1.{minor}; versions: {versions.supported_by(component)}",
            where=self._where(component.name),
            fix=f"{fix}, or set another `target.kubernetes`",
        )

    def _where(self, name: str) -> str | None:
        own = self.own.get(name)
        return own.where if own else self.named.get(name)


def _required_by(requirer: str, need: Need, provider: str, alternatives: Sequence[str]) -> str:
    capability = "" if provider == need.name else f" ({need.name})"
    reason = f": {need.reason.rstrip('.')}" if need.reason else ""
    others = f"; alternative: {' or '.join(alternatives)}" if alternatives else ""
    return f"added: required by {requirer}{capability}{reason}{others}"
