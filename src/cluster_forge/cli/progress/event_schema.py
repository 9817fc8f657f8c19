"""The lines of ``deploy|rollback|remove --format json`` before the last one, for their JSON Schema.

Importing this module loads pydantic, as `stack.schema.key_types` does.
"""

from __future__ import annotations

from typing import Literal

from pydantic import StrictFloat, StrictInt, StrictStr

from cluster_forge.stack.schema.key_types import Schema, Text


class DeliveryEvent(Schema):
    """What has happened. The last line of the output has no `event`: it is the result."""

    event: Literal["started", "component", "finished"]
    """A stage has started, a component of it has another state, the stage is finished."""
    at: StrictFloat | StrictInt
    """Seconds since the command began."""
    stage: Text
    """`deploy` or `remove`."""
    cluster: StrictStr = ""
    """The cluster's name in the description, where there are several."""
    total: StrictInt = 0
    """Of `started`: the number of components."""
    component: StrictStr = ""
    """The component; for what concerns all of them the stack or the engine's root."""
    state: Literal[
        "", "applying", "waiting", "unchanged", "applied", "ready", "failed", "blocked", "removing", "removed"
    ] = ""
    """What it does now, or how it ended: as `state` in the result. A component may be `ready` and wait again."""
    reason: StrictStr = ""
    """What it waits for, or why it has failed."""
    seconds: StrictFloat | StrictInt = 0
    """Seconds since its first event."""
    summary: StrictStr = ""
    """Of `finished`: the stage's result in a few words."""


SCHEMAS = {"delivery-event.schema.json": ("Cluster-Forge event of a delivery", DeliveryEvent)}
"""Title and model by the name of the JSON Schema (`stack.json_schemas`)."""
