"""From the description's `transformers` and `checks.plugins` to `PluginUse`s."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_files import InputFiles, in_input, is_outside, is_url, outside_error
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stack.schema.plugins import PluginSchema, TransformerSchema
from cluster_forge.stack.schema.validation import validated
from cluster_forge.yaml.positioned import Positioned

_UNUSABLE: Final = re.compile(r"[^a-z0-9]+")
"""What the name of a file may have and that of a finding may not."""


@dataclass(frozen=True)
class PluginReader:
    """Reads entries; what is wrong goes into ``errors``, after ``subject`` (a component, or ``the stack``)."""

    subject: str
    files: InputFiles
    errors: list[ForgeError]

    def transformers(self, description: Positioned) -> tuple[PluginUse, ...]:
        """The plug-ins and functions under ``transformers``, in their order."""
        return tuple(self._transformers(description.get("transformers")))

    def checks(self, description: Positioned) -> tuple[PluginUse, ...]:
        """The plug-ins under ``checks.plugins``, in their order."""
        section = description.get("checks")
        return tuple(self._checks(section.get("plugins") if section else None))

    def _transformers(self, section: Positioned | None) -> Iterator[PluginUse]:
        for entry in section.items if section else ():
            schema = validated(TransformerSchema, entry)
            if schema is None:
                continue
            if bool(schema.plugin) == bool(schema.function):
                has = "has both `plugin` and `exec`" if schema.plugin else "has neither `plugin` nor `exec`"
                self._wrong(entry, has, fix="write `plugin: NAME`, or `exec: FILE` and `digest: sha256:…`")
            elif schema.plugin:
                if schema.digest:
                    self._wrong(entry.at(("digest",)), "`digest` without `exec`", fix="remove it: plug-ins have none")
                yield self._plugin(schema.plugin, schema.with_, entry)
            else:
                yield from self._function(schema, entry)

    def _checks(self, section: Positioned | None) -> Iterator[PluginUse]:
        for entry in section.items if section else ():
            schema = validated(PluginSchema, entry)
            if schema:
                yield self._plugin(schema.plugin, schema.with_, entry)

    def _plugin(self, name: str, settings: dict[str, object], entry: Positioned) -> PluginUse:
        files = [path for named in entry.strings("files") if (path := self._file(named))]
        return PluginUse(name=name, settings=settings, files=tuple(dict.fromkeys(files)), where=entry.where)

    def _function(self, schema: TransformerSchema, entry: Positioned) -> Iterator[PluginUse]:
        if schema.files:
            fix = "remove it, and write what the function needs into `with`"
            self._wrong(entry.at(("files",)), "`files` are for plug-ins: a function has its `functionConfig`", fix=fix)
        program = self._file(entry.at(("exec",)))
        if program is None:
            return
        if not schema.digest:
            self._wrong(
                entry,
                "`exec` without `digest`",
                fix="write `digest: sha256:…`: `cluster-forge plugins allow FILE` shows it",
            )
            return
        self._check_settings(schema, entry)
        name = _UNUSABLE.sub("-", posixpath.basename(program).lower().partition(".")[0]).strip("-") or "function"
        digest = Digest.parse(schema.digest)
        yield PluginUse(name=name, program=program, digest=digest, settings=schema.with_, where=entry.where)

    def _check_settings(self, schema: TransformerSchema, entry: Positioned) -> None:
        """A function gets an object, or a ConfigMap, whose values are text."""
        if {"apiVersion", "kind"} <= schema.with_.keys():
            return
        for key, value in schema.with_.items():
            if not isinstance(value, str):
                self._wrong(
                    entry.at(("with", key)),
                    f"`{key}` of a function is not text: without `apiVersion` and `kind`, `with` is the `data` of a ConfigMap",
                    fix="quote it, or write the whole object that the function documents as its `functionConfig`",
                )

    def _file(self, named: Positioned) -> str | None:
        """The path of a file in the workspace."""
        text = str(named.content)
        path = in_input(text)
        if is_url(text) or text.startswith("/"):
            self._wrong(
                named, f"{text} is not a path relative to input/", fix="put the file into input/, and name it there"
            )
        elif is_outside(path):
            self.errors.append(outside_error(named, f"{self.subject}: "))
        elif (listed := self.files.listed(path)) is not None and list(listed) != [path]:
            self._wrong(named, f"{path} is a folder, not a file", fix="name a file")
        elif self.files.can_list and listed is None:
            self._wrong(named, f"{path} does not exist", fix="create it, or correct the path (relative to input/)")
        else:
            return path
        return None

    def _wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        self.errors.append(DescriptionError(f"{self.subject}: {message}", where=place.where, fix=fix))
