"""explain order|wave|image: why the components come in their order, and where images are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, DESCRIBES, verb

if TYPE_CHECKING:
    from cluster_forge.foundation.names import ComponentName
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.build.assembly.assemble import Assembly
    from cluster_forge.stages.build.image_values import ImagePaths
    from cluster_forge.stages.explain.explain_image import ImageValue
    from cluster_forge.stages.explain.explain_order import OrderExplanation
    from cluster_forge.stages.explain.value_reach import Keys

DOT: Final = "dot"
MERMAID: Final = "mermaid"

_environment = click.option("--environment", metavar="NAME", help="Apply an environment of the description.")


@verb(*BUILDS, *DESCRIBES, formats={DOT: "for Graphviz", MERMAID: "for Markdown"})
@click.argument("name", required=False)
@_environment
def order(session: Session, name: str | None, environment: str | None) -> None:
    """Show what each component comes after, and which objects say so.

    With NAME, one component: what it comes after, with all reasons, and what that comes after in turn. What is only
    preferred gives way where it would close a cycle.

    Examples:
        cluster-forge explain order
        cluster-forge explain order grafana
        cluster-forge explain order --format mermaid
    """
    from cluster_forge.cli.output import order_text
    from cluster_forge.cli.output.streams import to_stdout

    explanation = _order(session, environment)
    root = explanation.component(name) if name else None
    if session.output.format == DOT:
        to_stdout("\n".join(order_text.dot(explanation, root)))
    elif session.output.format == MERMAID:
        to_stdout("\n".join(order_text.mermaid(explanation, root)))
    else:
        for line in order_text.tree(explanation, root) if root else order_text.lines(explanation):
            session.print(line)
        session.print_json("explain order", **order_text.json(explanation, root))


@verb(*BUILDS, *DESCRIBES)
@click.argument("name", metavar="NUMBER|NAME")
@_environment
def wave(session: Session, name: str, environment: str | None) -> None:
    """Show the components of a wave, and why each is in it.

    The wave is named by its number, or by one of its components.

    Examples:
        cluster-forge explain wave -90
        cluster-forge explain wave grafana
    """
    from cluster_forge.cli.output import order_text

    components = _order(session, environment).wave(name)
    for line in order_text.wave_lines(components):
        session.print(line)
    content = [order_text.component_json(component) for component in components]
    session.print_json("explain wave", wave=components[0].wave, components=content)


wave.context_settings["ignore_unknown_options"] = True  # -90 is a number


@verb(*BUILDS, *DESCRIBES)
@click.argument("name", metavar="IMAGE")
@_environment
def image(session: Session, name: str, environment: str | None) -> None:
    """Show the components, objects and fields that have an image.

    IMAGE is a reference as `images.txt` has it, or a part of one. Values of the chart that set the image are shown with the
    file and the line in the description.

    Examples:
        cluster-forge explain image grafana
        cluster-forge explain image docker.io/library/nginx:1.29
    """
    from cluster_forge.cli.output import image_text
    from cluster_forge.stages.explain import explain_image

    with _assembled(session, environment) as assembled_stack:
        places = explain_image.places(assembled_stack.assembly, name, assembled_stack.values_of)
    for line in image_text.lines(places):
        session.print(line)
    session.print_json("explain image", **image_text.json(places))


WORDS: Final[Mapping[str, click.Command]] = MappingProxyType({"order": order, "wave": wave, "image": image})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assembled:
    """The stack as smelt would put it together now, and what its values are."""

    assembly: Assembly
    stack: Stack
    image_paths: Callable[[ComponentName], ImagePaths]
    value_places: Callable[[ComponentName], Mapping[Keys, str]]

    def values_of(self, component: ComponentName, image: str) -> tuple[ImageValue, ...]:
        """The value that names an image, and those beside it that the description sets, such as its tag."""
        from cluster_forge.manifests import field_path
        from cluster_forge.stages.build import image_values
        from cluster_forge.stages.explain.explain_image import ImageValue

        path = image_values.path_of(image, self.image_paths(component))
        if not path:
            return ()
        places = {field_path.text(("values", *keys)): where for keys, where in self.value_places(component).items()}
        beside = [f"{path.rpartition('.')[0]}.{key}" for key in ("registry", "tag", "digest")]
        described = [ImageValue(path=other, where=places[other]) for other in beside if other in places]
        return (ImageValue(path=path, where=places.get(path, "")), *described)


def _order(session: Session, environment: str | None) -> OrderExplanation:
    from cluster_forge.stages.explain import explain_order

    with _assembled(session, environment) as assembled_stack:
        waves = frozenset(one.name for one in assembled_stack.stack.components if one.wave is not None)
        return explain_order.of(assembled_stack.assembly, waves)


@contextmanager
def _assembled(session: Session, environment: str | None) -> Iterator[_Assembled]:
    from cluster_forge.cli import description
    from cluster_forge.stages.build import image_values, locking
    from cluster_forge.stages.describe.load_description import load_lock
    from cluster_forge.stages.explain import assembled
    from cluster_forge.stages.explain.explain_object import STAGE

    session = replace(session, selection=replace(session.selection, environment=environment))
    parsed = description.parsed(session)
    stack = parsed.stack
    with session.services(offline=True) as services:
        services.use_registries(stack.registries)
        lock = load_lock(services.files, services.toolbox.cache)
        sources = locking.look_up(stack.components, lock, services.sources)
        with session.reporting("render", STAGE) as reporter:
            assembly = assembled.assembly(stack, sources, lock, services.toolbox, reporter)

        def image_paths(name: ComponentName) -> ImagePaths:
            known = name in sources
            return image_values.of(stack.component(name), sources[name], services.toolbox) if known else {}

        yield _Assembled(
            assembly=assembly,
            stack=stack,
            image_paths=image_paths,
            value_places=description.value_places(session, parsed),
        )
