"""`schema-invalid`: an expression in the rules of a CRD that no API server compiles.

Source: apiextensions-apiserver, ``pkg/apiserver/schema/cel/compilation.go``: a rule and the expression of its message know the
variables ``self`` and ``oldSelf``, and the functions of Kubernetes' libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.cel.errors import ExpressionError, InvalidExpressionError, UnknownFunctionError
from cluster_forge.cel.program import program
from cluster_forge.checks import report
from cluster_forge.checks.custom_resources import schema_rules
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.manifests import field_path
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_VARIABLES: Final = frozenset({"self", "oldSelf"})
_OF_TYPES: Final = frozenset({"google", "kubernetes", "net"})
"""With what names of types begin: ``google.protobuf.Duration``."""
_LONGEST: Final = 200
"""Characters of an expression, or of its message, in a finding."""


def of(manifest: Manifest, _minor: int) -> Iterator[Finding]:
    """An error for each expression of a CRD that cannot be compiled; a warning where only a function is not known: a newer
    Kubernetes than this program knows may have it. Nothing about another object.
    """
    if (manifest.id.group, manifest.id.kind) == CRD and schema_rules.has_rules(manifest):
        yield from _of_definition(manifest)


def _of_definition(definition: Manifest) -> Iterator[Finding]:
    expressions = frozenset(schema_rules.expressions(definition))
    broken = {expression: wrong for expression in sorted(expressions) if (wrong := problem(expression))}
    if not broken:
        return
    reported = set()
    for expression, steps in schema_rules.rule_places(definition.document.passing_body()):
        if expression in broken and expression not in reported:
            reported.add(expression)
            message, is_certain = broken[expression]
            add = report.error if is_certain else report.warning
            yield add(
                definition,
                "schema-invalid",
                f"the rule `{shortened(expression)}` {message}",
                field=field_path.text(steps),
                fix="correct the expression, or take the rule out of the CRD",
            )


def shortened(text: str) -> str:
    """A text of a CRD in one line, of at most 200 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def problem(expression: str) -> tuple[str, bool] | None:
    """What is wrong with an expression, and whether it is certain."""
    try:
        names = program(expression).names - _VARIABLES - _OF_TYPES
    except InvalidExpressionError as error:
        return f"is not CEL: {error}, at character {error.offset + 1}", True
    except UnknownFunctionError as error:
        return f"calls what rules of CRDs do not have: {error}", False
    except ExpressionError:
        return None
    if not names:
        return None
    name = min(names)
    return f"names {shortened(name)!r}, and a rule knows self and oldSelf{did_you_mean(name, _VARIABLES)}", True
