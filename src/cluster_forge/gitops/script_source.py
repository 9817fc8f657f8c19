"""The shell sources in ``scripts/``: files that an editor and shellcheck can read, put together by `deploy_script`."""

from __future__ import annotations

from importlib.resources import files


def read(name: str) -> str:
    """The text of ``scripts/<name>.sh`` after the comments at its head, from the blank line on."""
    text = (files("cluster_forge.gitops") / "scripts" / f"{name}.sh").read_text(encoding="utf-8")
    return text[text.index("\n\n") + 1 :]
