"""What a stack of catalog components needs besides, what excludes what, and which version of each fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cluster_forge.catalog import wiring
from cluster_forge.catalog.component_format import CatalogComponent, Need, Version, minors
from cluster_forge.catalog.library import InInput, Library, flattened
from cluster_forge.catalog.wiring import Placed, Surroundings
from cluster_forge.foundation.errors import DescriptionError, ForgeError, leaves
from cluster_forge.stack.catalog_port import CompletedStack
from cluster_forge.stack.input_files import InputFiles, in_input
from cluster_forge.stack.model import Notice, Target
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True)
class StackCatalog:
    """`stack.catalog.Catalog`: a library as it is for one description."""

    library: Library

    def names(self) -> Sequence[str]:
        return self.library.names

    def collections(self) -> Mapping[str, Sequence[str]]:
        return {name: each.members for name, each in self.library.collections.items()}

    def extended(self, folders: Sequence[Positioned], files: InputFiles, errors: list[ForgeError]) -> StackCatalog:
        """The library with a user's own catalogs over it; one that is not there goes into ``errors``."""
        own = []
        for named in folders:
            folder = InInput(files, in_input(str(named.content)))
            if not folder.is_there:
                fix = "put `components/NAME.yaml` into it, or name another folder (relative to input/)"
                errors.append(DescriptionError(f"there is no catalog in {folder.root}", where=named.where, fix=fix))
            own.append(folder)
        return StackCatalog(Library((*self.library.folders, *own))) if own else self

    def completed(
        self, stack: Mapping[str, str], own: Mapping[str, Positioned], target: Target, skipped: frozenset[str]
    ) -> CompletedStack:
        """The stack (each component with where it is named) with all that its components of the catalog need.

        ``own`` has what the description says of a component. One that says what it is made from is its user's own,
        whatever it is called.
        """
        return _Completing(self.library, stack, own, target, skipped).all()


@dataclass
class _Completing:
    library: Library
    named: Mapping[str, str]
    own: Mapping[str, Positioned]
    target: Target
    skipped: frozenset[str]
    order: dict[str, None] = field(default_factory=dict)
    present: dict[str, CatalogComponent] = field(default_factory=dict)
    needs: dict[str, list[str]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    errors: list[ForgeError] = field(default_factory=list)

    def members(self) -> CompletedStack:
        """The stack without its components' layers."""
        placed = self._members()
        stack = tuple(name for name in self.order if name not in self.present or name in placed)
        return CompletedStack(stack=stack, layers={}, notices=tuple(self.notices), errors=tuple(self.errors))

    def _members(self) -> dict[str, Placed]:
        for name in self.named:
            self._add(name)
        for name in self._waiting():
            self._meet(self.present[name])
        self._exclusions()
        return {name: each for name in self.present if (each := self._placed(name)) is not None}

    def all(self) -> CompletedStack:
        placed = self._members()
        around = Surroundings(
            target=self.target,
            placed=placed,
            given=frozenset(self.target.provides),
            preference={name: self._preference(name) for name in self.library.capabilities},
        )
        layers = {}
        for name, each in placed.items():
            self._remark(each)
            try:
                layers[name] = wiring.layers(each, around, self._needed(name, around))
            except DescriptionError as error:
                self.errors.append(error)
        return CompletedStack(
            stack=tuple(name for name in self.order if name not in self.present or name in layers),
            layers=layers,
            notices=tuple(self.notices),
            errors=tuple(self.errors),
        )

    def _needed(self, name: str, around: Surroundings) -> list[str]:
        """What has to be there before a component: what it needs, and the store of its Secrets."""
        needs = self.needs.get(name, [])
        store = around.provider(wiring.SECRET_STORE)
        if store and store.name not in (name, *needs) and wiring.from_store(self.present[name], around):
            return [*needs, store.name]
        return needs

    def _waiting(self) -> Iterator[str]:
        """Every component of the catalog, also those that come while this goes on."""
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
            self.errors += [each for each in leaves(error) if isinstance(each, ForgeError)]

    def _meet(self, component: CatalogComponent) -> None:
        """See to it that what a component needs is there."""
        for need in component.needed:
            if self.target.size not in need.sizes or need.name in self.target.provides:
                continue
            provider = self._there(need.name) or self._pulled(component, need)
            if provider and provider != component.name:
                self.needs.setdefault(component.name, []).append(provider)

    def _there(self, name: str) -> str:
        if name in self.order:
            return name
        for provider in (*self._preference(name), *self.present):
            if provider in self.present and name in self.present[provider].provides:
                return provider
        return ""

    def _preference(self, name: str) -> Sequence[str]:
        capability = self.library.capabilities.get(name)
        if capability is None:
            return self.library.providers(name)
        return next(
            (names for size, names in capability.sizes.items() if size == self.target.size), capability.providers
        )

    def _pulled(self, component: CatalogComponent, need: Need) -> str:
        """What comes along because a component needs it."""
        possible = [name for name in self._preference(need.name) if name in self.library.names]
        fitting = [name for name in possible if self._fits(name)]
        name = next(iter(fitting or possible), "")
        if not name:
            self.errors.append(
                DescriptionError(
                    f"{component.name} needs {need.name}, and the catalog has nothing for it",
                    where=self._where(component.name),
                    fix=f"say that the cluster has it: `target: {{provides: [{need.name}]}}`",
                )
            )
            return ""
        if name in self.skipped:
            return ""
        others = [each for each in fitting if each != name]
        what = "" if name == need.name else f" ({need.name})"
        instead = f"; instead of it {' or '.join(others)} may be named" if others else ""
        why = f": {need.reason}" if need.reason else ""
        self.notices.append(
            Notice(
                code="pulled-in",
                message=f"comes along because {component.name} needs it{what}{why.rstrip('.')}{instead}",
                component=name,
                where=self._where(component.name) or "",
            )
        )
        self._add(name)
        return name

    def _fits(self, name: str) -> bool:
        component = self.library.component(name)
        excluded = {each.name for each in component.excludes} & self.present.keys()
        against = any(each.name == name for other in self.present.values() for each in other.excludes)
        return not excluded and not against and bool(wiring.chosen_version(component, self.target.kubernetes.minor))

    def _exclusions(self) -> None:
        told: set[frozenset[str]] = set()
        for component in self.present.values():
            for each in component.excludes:
                others = [each.name] if each.name in self.order else []
                others += [name for name, other in self.present.items() if each.name in other.provides]
                for other in others:
                    pair = frozenset((component.name, other))
                    if other != component.name and pair not in told:
                        told.add(pair)
                        self.errors.append(
                            DescriptionError(
                                f"{component.name} and {other} exclude each other: {each.reason.rstrip('.')}",
                                where=self._where(component.name) or self._where(other),
                                fix=f"leave one of them out: take it out of `components`, or --skip {other}",
                            )
                        )

    def _placed(self, name: str) -> Placed | None:
        component, own = self.present[name], self.own.get(name)
        minor = self.target.kubernetes.minor
        asked = _text(own, "version")
        version = wiring.chosen_version(component, minor, asked) or wiring.chosen_version(component, minor)
        if version is None or minor not in minors(version.kubernetes):
            self.errors.append(self._unfit(component, version))
            return None
        return Placed(
            component=component,
            version=version,
            namespace=_text(own, "namespace") or component.namespace,
            release=wiring.helm_of(component, version).get("release") or name,
        )

    def _unfit(self, component: CatalogComponent, asked: Version | None) -> DescriptionError:
        ranges = ", ".join(f"{each.version} is for {each.kubernetes}" for each in component.versions)
        minor = self.target.kubernetes.minor
        better = wiring.chosen_version(component, minor)
        what = f"{component.name} {asked.version} is" if asked else f"no version of {component.name} is"
        fix = f"take version {better.version}" if better else f"leave it out (--skip {component.name})"
        return DescriptionError(
            f"{what} not for Kubernetes 1.{minor}: {ranges}" if asked else f"{what} for Kubernetes 1.{minor}: {ranges}",
            where=self._where(component.name),
            fix=f"{fix}, or name another `target.kubernetes`",
        )

    def _remark(self, placed: Placed) -> None:
        """What the user should know of a component that he has."""
        component = placed.component
        life = component.lifecycle
        if life.state != "active":
            since = f" since {life.date}" if life.date else ""
            what = "is at its end" if life.state == "eol" else "is deprecated"
            way = (
                f"; its successor: {life.successor} (`cluster-forge catalog switch {component.name}`)"
                if life.successor
                else ""
            )
            why = f": {life.reason.rstrip('.')}" if life.reason else ""
            self._warn(component.name, code="eol-component", message=f"{what}{since}{why}{way}")
        missing = [str(each) for each in self.target.architectures if str(each) not in component.architectures]
        if missing:
            made = " and ".join(component.architectures)
            message = f"there are images for {made} only, not for {' and '.join(missing)}"
            self._warn(component.name, code="platform-missing", message=message)

    def _warn(self, name: str, *, code: str, message: str) -> None:
        where = self._where(name) or ""
        self.notices.append(Notice(code=code, message=message, component=name, where=where, is_warning=True))

    def _where(self, name: str) -> str | None:
        own = self.own.get(name)
        return own.where if own else self.named.get(name)


def _text(own: Positioned | None, key: str) -> str:
    part = own.get(key) if own else None
    return part.string or "" if part else ""


def needed(library: Library, names: Sequence[str], target: Target) -> CompletedStack:
    """The components of such a stack and why they cannot be in one, without their layers: quick enough for every key."""
    stack = dict.fromkeys(flattened(names, library.collections), "")
    return _Completing(library, stack, {}, target, frozenset()).members()


def whole(library: Library, names: Sequence[str], target: Target) -> CompletedStack:
    """What a stack of these components and collections comes to, before there is a description."""
    stack = dict.fromkeys(flattened(names, library.collections), "")
    return StackCatalog(library).completed(stack, {}, target, frozenset())
