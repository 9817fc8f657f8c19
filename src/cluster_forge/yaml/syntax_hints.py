"""How to mend a manifest that is no YAML: mostly it is not broken but something else."""

from __future__ import annotations

import re

_CONFLICT = re.compile(r"^<<<<<<< .*^>>>>>>> ", re.MULTILINE | re.DOTALL)
_TAB = re.compile(r"^ *\t", re.MULTILINE)


def fix_for(document: str) -> str:
    """What to do about a document that cannot be read, in the words of a fix."""
    if _CONFLICT.search(document):
        return "a merge conflict was left in it: decide between the two versions and remove the marks"
    if document.lstrip()[:1] == "<":
        return "it looks like a web page: name the address of the file itself (on GitHub, that of `Raw`)"
    if "{{" in document:
        return (
            "it holds '{{': give a Helm template to its chart and name that in `helm`; "
            "put a value that is meant to begin so into quotes"
        )
    if _TAB.search(document):
        return "indent with spaces: YAML allows no tabs there"
    return "correct the YAML in that line; of a chart: change the values that lead there, or take another version"
