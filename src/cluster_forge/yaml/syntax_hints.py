"""How to fix a document that is not YAML: usually it is not broken, but something else."""

from __future__ import annotations

import re

from cluster_forge.yaml.conflict_markers import conflict_line

_TAB = re.compile(r"^ *\t", re.MULTILINE)


def fix_for(document: str) -> str:
    """The fix for a document that cannot be parsed."""
    if conflict_line(document):
        return "resolve the merge conflict in it and remove the conflict markers"
    if document.lstrip()[:1] == "<":
        return "it looks like a web page: use the URL of the file itself (on GitHub, that of `Raw`)"
    if "{{" in document:
        return (
            "it contains '{{': move a Helm template into a chart and name that in `helm`; "
            "put a value that starts with '{{' in quotes"
        )
    if _TAB.search(document):
        return "indent with spaces: YAML does not allow tabs there"
    return "correct the YAML in that line; in a chart, change the values that lead to it, or use another version"
