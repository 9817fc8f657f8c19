"""Three versions of a file of `working/` merged as objects, field by field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.manifests import emitter, text_edits
from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.manifests.identity import group_of
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.patches import three_way
from cluster_forge.patches.sameness import ABSENT, same
from cluster_forge.patches.three_way import Side
from cluster_forge.stages.build.hand_edits import shown_values
from cluster_forge.stages.build.hand_edits.file_merge import Conflict, Decide, FileMerge, Versions, whole

ReadObject = Callable[[str, bytes], Body]
"""The object in a file, by its path; raises ForgeErrors if it does not hold exactly one."""

_SECRET_DATA: Final = ("data", "stringData")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMerge:
    """Merges files by the schemas of their kinds (``merge_keys``, asked for when needed). ``read_edited`` reads the user's files,
    ``read`` those that smelt wrote.
    """

    read_edited: ReadObject
    read: Callable[[str], Body]
    merge_keys: Callable[[], MergeKeys]

    def __call__(self, versions: Versions, decide: Decide) -> FileMerge:
        """The merge of three versions that are there, of which no two are the same bytes."""
        assert versions.theirs is not None
        assert versions.mine is not None
        try:
            mine = self.read_edited(versions.path, versions.mine)
        except (ForgeError, ExceptionGroup) as error:
            problem = next(str(leaf) for leaf in leaves(error))
            return whole(
                versions, decide, f"smelt makes the object differently now, and cannot merge the edit: {problem}"
            )
        theirs = self.read(versions.theirs.decode())
        if same(theirs, mine):
            return FileMerge(content=versions.theirs, is_obsolete=True)
        if versions.base is None:
            return whole(versions, decide, "the file was added, and smelt makes an object of this name now")
        base = self.read(versions.base.decode())
        return self._merged(versions, _Bodies(base, theirs, mine), decide)

    def _merged(self, versions: Versions, bodies: _Bodies, decide: Decide) -> FileMerge:
        assert versions.theirs is not None
        assert versions.mine is not None
        conflicts: list[Conflict] = []
        decisions: list[bool] = []

        def prefer(clash: three_way.Conflict) -> Side:
            conflict = bodies.conflict(versions.path, clash)
            decided = decide(conflict)
            if decided is None:
                conflicts.append(conflict)
            else:
                decisions.append(decided)
            return Side.THEIRS if decided is False else Side.MINE

        merge = three_way.merge(bodies.base, bodies.theirs, bodies.mine, self._schema(bodies.theirs), prefer)
        if conflicts:
            return FileMerge(content=versions.mine, conflicts=tuple(conflicts))
        is_decided_against = not all(decisions)
        if same(merge.value, bodies.theirs) and not same(bodies.mine, bodies.base):
            return FileMerge(
                content=versions.theirs,
                is_obsolete=not is_decided_against,
                is_lost=is_decided_against,
                taken=merge.obsolete,
            )
        content, is_kept = self._text(versions.mine, bodies.mine, merge.value)
        return FileMerge(
            content=content,
            is_merged=content != versions.mine,
            taken=merge.obsolete,
            is_lost=is_decided_against or not is_kept,
        )

    def _text(self, text: bytes, mine: Body, merged: Body) -> tuple[bytes, bool]:
        """The user's text with the merged object, and whether all of its comments are in it."""
        if same(mine, merged):
            return text, True
        edited = text_edits.edited(text.decode(errors="replace"), mine, merged)
        if edited is not None:
            try:
                if same(self.read(edited), merged):
                    return edited.encode(), True
            except (ForgeError, ExceptionGroup):  # the whole object is written
                pass
        return emitter.document(merged).encode(), b"#" not in text

    def _schema(self, body: Body) -> FieldSchema | None:
        version = str(body["apiVersion"])
        return self.merge_keys().schema(group_of(version), version.rpartition("/")[2], str(body["kind"]))


@dataclass(frozen=True, slots=True)
class _Bodies:
    """The three versions as trees."""

    base: Body
    theirs: Body
    mine: Body

    def conflict(self, path: str, clash: three_way.Conflict) -> Conflict:
        """A conflict as it may be shown."""
        secrets = [value for body in (self.base, self.theirs, self.mine) for value in masking.values(body)]
        is_data = self.theirs["kind"] == "Secret" and clash.path.startswith(_SECRET_DATA)
        values = (clash.base, clash.theirs, clash.mine)
        texts = shown_values.texts(values, lambda text: masking.without(text, secrets))

        def is_secret(value: object) -> bool:
            return value is not ABSENT and (is_data or (clash.lines is not None and _is_part(value, secrets)))

        base, theirs, mine = (
            masking.MASK if is_secret(value) else text for value, text in zip(values, texts, strict=True)
        )
        where = f", line {clash.lines.start}" if clash.lines else ""
        return Conflict(path=path, field=f"{clash.path}{where}", base=base, theirs=theirs, mine=mine)


def _is_part(value: object, secrets: Sequence[str]) -> bool:
    """Whether lines are those of a secret text."""
    return isinstance(value, str) and any(value in secret for secret in secrets)
