"""The checks in `input/checks/`: expressions in CEL, and admission policies that are not part of the stack."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.error_groups import leaves, raise_all
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import ComponentName, nearest
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.finding_codes import OWN_CHECKS
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.checks.policies.own_check import OwnCheck
    from cluster_forge.yaml.positioned_reader import PositionedDocument

FOLDER: Final = "input/checks"
_COMPONENT: Final = ComponentName("checks")
_POLICY: Final = "ValidatingAdmissionPolicy"
_KINDS: Final = (_POLICY, f"{_POLICY}Binding")
_MOST: Final = 500
"""Checks of a workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnChecks:
    checks: Sequence[OwnCheck]
    policies: Sequence[Manifest]


def findings(checked: CheckedStack, toolbox: Toolbox) -> Iterator[Finding]:
    """What the checks of the workspace say about the objects of a stack.

    Raises:
        DescriptionError, ExceptionGroup: for each check that is not well-formed, or whose expression is not CEL.
    """
    files = _files(toolbox)
    if not files:
        yield from _errors_of_none(checked, ())
        return
    from cluster_forge.checks.policies import (  # noqa: PLC0415 - few have checks
        admission_policies,
        own_check,
        own_check_names,
        policy_use,
    )

    own = _read(files)
    yield from _errors_of_none(checked, [check.code for check in own.checks])
    yield from own_check_names.findings(checked, own.checks)
    yield from own_check.findings(checked, own.checks)
    uses = policy_use.of_manifests(own.policies, is_bound=True)
    for finding in admission_policies.applied(checked, uses):
        yield replace(finding, component=None) if finding.component == _COMPONENT else finding


def codes(toolbox: Toolbox) -> Sequence[str]:
    """The codes of the findings of the workspace's checks.

    Raises:
        DescriptionError, ExceptionGroup: as for `findings`.
    """
    files = _files(toolbox)
    return [check.code for check in _read(files).checks] if files else []


def _errors_of_none(checked: CheckedStack, known: Collection[str]) -> Iterator[Finding]:
    """An error for each of ``checks.errors`` that is of a check that is not there: it promises a stop that never comes."""
    for code, where in checked.stack.finding_policy.errors.items():
        if code.startswith(OWN_CHECKS) and code not in known:
            near = nearest(code, known)
            yield Finding(
                code="unknown-name",
                severity=Severity.ERROR,
                where=where,
                message=f"checks.errors: no check in {FOLDER}/ has the name {code.removeprefix(OWN_CHECKS)!r}",
                fix=f"write {near}" if near else f"write the check, or {OWN_CHECKS} and the name of one",
            )


def _files(toolbox: Toolbox) -> Mapping[str, bytes]:
    """The YAML files in the folder itself; what is in folders below it belongs to a component of this name."""
    names = (
        name
        for name in toolbox.files.names(FOLDER)
        if "/" not in name and name[0] != "." and name.endswith((".yaml", ".yml"))
    )
    contents = {f"{FOLDER}/{name}": toolbox.files.read(f"{FOLDER}/{name}") for name in names}
    return {path: content for path, content in contents.items() if content is not None}


def _read(files: Mapping[str, bytes]) -> _OwnChecks:
    from cluster_forge.yaml import positioned_reader  # noqa: PLC0415 - few workspaces have checks

    errors: list[ForgeError] = []
    checks: dict[str, OwnCheck] = {}
    policies: list[Manifest] = []
    for path, content in files.items():
        try:
            documents = positioned_reader.read_all(content, path)
        except (ForgeError, ExceptionGroup) as error:
            errors += [one for one in leaves(error) if isinstance(one, ForgeError)]
            continue
        for document in documents:
            if document.value is None:
                continue
            kind = document.root.get("kind")
            if kind and kind.string in _KINDS:
                policies += _policy(document, errors)
            elif check := _check(document, errors):
                if check.name in checks:
                    message = f"the check {check.name!r} is there twice, also at {checks[check.name].where}"
                    errors.append(
                        DescriptionError(message, where=document.where(("name",)), fix="give one another name")
                    )
                checks[check.name] = check
    if len(checks) + len(policies) > _MOST:
        message = f"{len(checks) + len(policies)} checks (limit {_MOST})"
        errors.append(DescriptionError(message, where=f"{FOLDER}/", fix="make one check of several: `a && b`"))
    raise_all(errors)
    return _OwnChecks(checks=[*checks.values()], policies=policies)


def _policy(document: PositionedDocument, errors: list[ForgeError]) -> list[Manifest]:
    """The object of a document, if it is one with expressions that can be read."""
    metadata = document.root.get("metadata")
    name = metadata.get("name") if metadata else None
    if not name or not name.string or not document.root.get("apiVersion"):
        message = "the policy has no apiVersion, or no metadata.name"
        errors.append(DescriptionError(message, where=document.where(), fix="write it as for kubectl"))
        return []
    spec = document.root.get("spec")
    for key in ("validations", "matchConditions", "variables"):
        entries = spec.get(key) if spec else None
        for entry in entries.items if entries else ():
            expression = entry.get("expression")
            if expression and expression.string:
                errors += _syntax_errors(expression.string, expression.where)
    return [Manifest.of(document.value, Provenance(component=_COMPONENT, origin=document.where()))]


def _check(document: PositionedDocument, errors: list[ForgeError]) -> OwnCheck | None:
    from cluster_forge.checks.policies.own_check import NAMES, OwnCheck  # noqa: PLC0415 - few workspaces have checks
    from cluster_forge.stack.schema.own_check import OwnCheckSchema  # noqa: PLC0415 - loads pydantic, 0.2 s
    from cluster_forge.stack.schema.validation import schema_errors, validated  # noqa: PLC0415 - as above

    read = validated(OwnCheckSchema, document.root)
    if read is None:
        errors += schema_errors(OwnCheckSchema, document.root)
        return None
    problems = _syntax_errors(read.expression, document.where(("expression",)), NAMES)
    if problems:
        errors += problems
        return None
    return OwnCheck(
        name=read.name,
        expression=read.expression,
        where=document.where(),
        match_where=document.where(("match",)),
        kinds=read.match.kinds,
        namespaces=read.match.namespaces,
        components=read.match.components,
        labels=read.match.labels,
        message=read.message,
        fix=read.fix,
        severity=Severity(read.severity),
    )


def _syntax_errors(expression: str, where: str, known: Sequence[str] = ()) -> list[ForgeError]:
    """Why an expression cannot be read, or which name it uses that is not one of ``known``."""
    from cluster_forge.cel.errors import ExpressionError, InvalidExpressionError  # noqa: PLC0415 - few have checks
    from cluster_forge.cel.program import program  # noqa: PLC0415 - as above

    try:
        names = program(expression).names
    except InvalidExpressionError as error:
        message = f"the expression is not CEL: {error}, at character {error.offset + 1}"
        return [DescriptionError(message, where=where, fix="see `cel.dev` for the syntax")]
    except ExpressionError as error:
        return [DescriptionError(f"the expression cannot be evaluated: {error}", where=where, fix="write it without")]
    unknown = sorted(names - set(known)) if known else []
    if not unknown:
        return []
    message = f"unknown name {unknown[0]!r}"
    return [DescriptionError(message, where=where, fix=f"the names are {', '.join(known)}; text is written in quotes")]
