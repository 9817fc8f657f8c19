"""Verbs of other tools, and what does the same here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_DEPLOY: Final = "run `cluster-forge deploy`, or `sh stacks/NAME/deploy.sh` with kubectl alone"
_RENDER: Final = "run `cluster-forge smelt`, and read working/"
_CHECK: Final = "run `cluster-forge check`, or `cluster-forge config validate` for the description alone"
_DIFF: Final = "run `cluster-forge cast --diff` before a cast, or `cluster-forge diff` after it"
_BUILD: Final = "run `cluster-forge forge`"
_LIST: Final = "run `cluster-forge config show` for the stack, `cluster-forge catalog list` for the catalog"
_FETCH: Final = "run `cluster-forge mine`"

_SAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("apply", "install", "sync", "up"), _DEPLOY),
        **dict.fromkeys(("template", "render", "manifests", "compile", "generate"), _RENDER),
        **dict.fromkeys(("lint", "validate", "verify", "test"), _CHECK),
        **dict.fromkeys(("plan", "preview"), _DIFF),
        **dict.fromkeys(("build", "package", "create", "bundle"), _BUILD),
        **dict.fromkeys(("list", "ls", "get", "show"), _LIST),
        **dict.fromkeys(("fetch", "download", "dependency", "deps", "vendor"), _FETCH),
        "update": "run `cluster-forge mine --update NAME`: it takes the newest version in range",
        "upgrade": "change `version` in input/config.yaml, then run `cluster-forge forge` and `cluster-forge deploy`",
        "search": "run `cluster-forge catalog search WORD`",
        "repo": "name `helm.repository` in the component: repositories need no adding",
        **dict.fromkeys(("delete", "destroy", "uninstall", "down"), "run `cluster-forge remove`"),
        "undo": "run `cluster-forge rollback`",
        "add": "write `- NAME` below `components` in input/config.yaml; `cluster-forge catalog search WORD` finds names",
        "images": "read stacks/NAME/images.txt, which `cluster-forge cast` writes",
        "describe": "run `cluster-forge explain OBJECT`, or `cluster-forge catalog show NAME`",
        "customize": "edit files in working/; `cluster-forge cast` takes them as they are",
        "kustomize": "write `kustomize: FOLDER` in a component, then run `cluster-forge smelt`",
        "publish": "run `cluster-forge push`",
        "new": "run `cluster-forge init`, or `cluster-forge catalog new` for a component of the catalog",
        "version": "run `cluster-forge --version`",
    }
)


def pointer(verb: str) -> str:
    """The message about a verb that does not exist here; empty if no other tool has it."""
    same = _SAME.get(verb.lower())
    return f"there is no verb {verb!r}: {same}" if same else ""
