"""What is to be removed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRequest:
    """What goes: the whole ``stack``, or one ``component``; ``data``: volumes, CRDs and Namespaces with what is in them, too.

    ``timeout``: seconds until one object must be gone. ``run`` names the process (HOST/PROCESS/TIME).
    """

    stack: str
    component: str = ""
    data: bool = False
    timeout: float = 300
    run: str = ""
