"""What smelt makes from the present inputs, without any edit: rendered, put together, and as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.progress import Reporter
from cluster_forge.record import Record
from cluster_forge.stack import variant
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import working_tree, written_files
from cluster_forge.stages.build.assembly import transforming
from cluster_forge.stages.build.assembly.assemble import assemble
from cluster_forge.stages.build.layout import lay_out
from cluster_forge.stages.build.rendering.component_sources import ComponentSources, has_sources, sourced_folder
from cluster_forge.stages.build.rendering.render import render
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """The files and their record, whose findings are not counted yet. ``reused`` names the components that were not rendered,
    ``manifests`` are the objects of the parts by their file, with their templates, and ``graph`` is theirs.
    """

    tree: FileTree
    record: Record
    stack: Stack
    manifests: Mapping[str, Manifest]
    graph: ObjectGraph | None
    reused: frozenset[ComponentName] = frozenset()


def make(  # noqa: PLR0913 - what a stage has
    stack: Stack,
    sources: Mapping[ComponentName, ComponentSources],
    lock: Lock,
    toolbox: Toolbox,
    reporter: Reporter,
    *,
    inputs: Digest,
    rendered: Mapping[ComponentName, RenderedComponent] | None = None,
    is_checked: bool = True,
) -> Fresh:
    """Make the stack's files. ``rendered`` are its components, if they are rendered already; ``inputs`` is the fingerprint.
    ``is_checked``: the record has the findings about the objects, too (`object_checks`).

    Raises:
        LockError: for a source that is not locked or not in the store.
        RenderError, ArchiveError, ManifestError, OrderError, PatchError, PluginError: see `render`, `assemble`,
            `transforming` and `plugin_checks`; several in an ExceptionGroup.
    """
    if rendered is None:
        rendered = render(stack, sources, lock, toolbox, reporter)
    transform = partial(transforming.transformed, stack, toolbox=toolbox, reporter=reporter)
    assembly = assemble(stack, rendered, sources, transform)
    tree, revision = lay_out(stack, assembly)
    about_objects: Iterable[Finding] = ()
    if is_checked:
        from cluster_forge.stages.build.assembly import object_checks  # noqa: PLC0415 - 0.2 s, and not all ask for findings

        about_objects = object_checks.findings(
            stack, assembly.parts, assembly.manifests, toolbox, reporter, graph=assembly.graph
        )
    digests = {known.path: known.digest for part in assembly.parts for known in part.objects}
    record = Record(
        tool=build.identity(),
        stack=stack.name,
        folder=variant.folder(stack),
        inputs=inputs,
        revision=revision,
        own_findings=(
            *assembly.findings,
            *about_objects,
            *_ignored_edits(rendered, toolbox),
        ),
        parts=assembly.parts,
        files={path: digests.get(path) or Digest.of(content) for path, content in tree.files.items()},
    )
    reused = frozenset(name for name, result in rendered.items() if result.is_reused)
    return Fresh(
        tree=tree, record=record, stack=stack, manifests=assembly.manifests, graph=assembly.graph, reused=reused
    )


def _ignored_edits(rendered: Mapping[ComponentName, RenderedComponent], toolbox: Toolbox) -> Iterator[Finding]:
    """A warning for each sourced tree that was edited by hand: its component was rendered from its sources instead."""
    for name, result in rendered.items():
        folder = f"input/{sourced_folder(result.component)}"
        if result.reused_tree is None and has_sources(result.component):
            edited = [str(edit) for edit in written_files.edits(folder, toolbox.files)]
            if edited:
                yield Finding(
                    code="hand-edited",
                    severity=Severity.WARNING,
                    component=name,
                    where=f"{folder}/",
                    message=f"has hand edits, which do not count: {working_tree.first_few(edited)}; rendered from the sources",
                    fix=f"change values, `exclude` objects, or edit working/; `cluster-forge mine {name}` writes this folder "
                    "again, and keeps a copy of the edits",
                )
