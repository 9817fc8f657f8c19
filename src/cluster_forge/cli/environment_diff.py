"""How a description differs between two environments: what it says, and the objects that are rendered from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.cli.session import Session
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.manifests.comparison.objects import Comparison
    from cluster_forge.manifests.part import Part
    from cluster_forge.stack.parse import ParsedDescription

_NO_ENVIRONMENT: Final = "no environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDiff:
    """What differs. ``descriptions`` are both in full as they may be shown; ``objects`` is None where they cannot be
    rendered, ``problems`` says why.
    """

    stack: str
    sides: Sides
    descriptions: tuple[dict[str, Any], dict[str, Any]]
    objects: Comparison | None
    problems: Sequence[ForgeError] = ()

    def __bool__(self) -> bool:
        return self.descriptions[0] != self.descriptions[1] or bool(self.objects)

    def lines(self) -> Iterator[str]:
        """Both as ``diff -u`` prints them."""
        from cluster_forge.cli.output import changes_text, diff_text
        from cluster_forge.manifests.comparison import text_lines
        from cluster_forge.stack import effective

        old, new = (effective.text(described, {}) for described in self.descriptions)
        names = (f"{self.sides.before}: description", f"{self.sides.after}: description")
        lines = text_lines.unified(old, new, names)
        if lines is None:
            yield "the descriptions differ, and are too long to be compared line by line: --format json has all"
        for line in lines or ():
            yield changes_text.colored(line)
        if self.objects is not None:
            yield from diff_text.unified(self.objects, self.sides)

    def json(self) -> dict[str, Any]:
        """The same: fields of the description by their paths; ``objects`` and the like are null where nothing is rendered."""
        from cluster_forge.cli.output import diff_text, error_text
        from cluster_forge.manifests.comparison import fields

        rendered = dict.fromkeys(("components", "objects", "images"))
        return {
            "before": self.sides.before,
            "after": self.sides.after,
            "description": [
                {"path": field.path, "change": field.change, "before": field.before, "after": field.after}
                for field in fields.changes(*self.descriptions)
            ],
            **(rendered if self.objects is None else diff_text.json(self.objects)),
            "problems": [error_text.error_json(problem) for problem in self.problems],
        }


def compare(session: Session, other: str) -> EnvironmentDiff:
    """Compare the environment of the session with ``other``. Nothing is fetched, and nothing written.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: every error in one of the two.
        RenderError, ManifestError, ExceptionGroup: what cannot be rendered.
    """
    from cluster_forge.cli import description
    from cluster_forge.cli.output.diff_text import Sides

    sessions = (session, replace(session, selection=replace(session.selection, environment=other)))
    parsed = [description.parsed(side) for side in sessions]
    objects, problems = _objects(sessions)
    return EnvironmentDiff(
        stack=parsed[0].stack.name,
        sides=Sides(before=session.selection.environment or _NO_ENVIRONMENT, after=other),
        descriptions=(_shown(parsed[0]), _shown(parsed[1])),
        objects=objects,
        problems=problems,
    )


def _shown(parsed: ParsedDescription) -> dict[str, Any]:
    """The description as it may be shown, with the values that each chart gets: of its files, its size and itself."""
    from cluster_forge.foundation.addresses import masked_values
    from cluster_forge.stages.describe import variable_findings

    values = {str(component.name): component.values for component in parsed.stack.components}
    entries = [_with_values(entry, values) for entry in parsed.effective.get("components", ())]
    described = {**parsed.effective, "components": entries}
    shown: dict[str, Any] = masked_values(variable_findings.without_secrets(described, parsed))
    return shown


def _with_values(entry: Any, values: Mapping[str, Mapping[str, Any]]) -> Any:
    """An entry of `components` with its chart's values in the place of where they come from."""
    if not isinstance(entry, dict) or not (merged := values.get(entry.get("name", ""))):
        return entry
    kept = {key: value for key, value in entry.items() if key not in ("valuesFiles", "sizes", "values")}
    return {**kept, "values": {key: merged[key] for key in sorted(merged)}}


def _objects(sessions: Sequence[Session]) -> tuple[Comparison | None, Sequence[ForgeError]]:
    """What differs between the objects; None, and the reasons, if a source was not mined yet."""
    from cluster_forge.foundation.error_groups import leaves
    from cluster_forge.foundation.errors import LockError
    from cluster_forge.manifests.comparison import objects

    try:
        before, after = map(_parts, sessions)
    except (LockError, ExceptionGroup) as error:
        missing = [leaf for leaf in leaves(error) if isinstance(leaf, LockError)]
        if len(missing) < len(list(leaves(error))):
            raise
        return None, missing
    return objects.between(before, after), ()


def _parts(session: Session) -> tuple[Part, ...]:
    from cluster_forge.cli.description import load
    from cluster_forge.foundation.digest import Digest
    from cluster_forge.stages.build import fresh, locking

    with session.services(offline=True) as services, session.reporting("render") as reporter:
        description = load(services, session.selection)
        stack, lock = description.stack, description.lock
        sources = locking.look_up(stack.components, lock, services.sources)
        inputs = Digest.of(b"")  # nothing is written, so nothing asks for it
        return fresh.make(
            stack, sources, lock, services.toolbox, reporter, inputs=inputs, is_checked=False
        ).record.parts
