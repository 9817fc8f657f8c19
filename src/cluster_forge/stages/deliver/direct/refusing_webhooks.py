"""Webhooks that the API server cannot call yet refuse every object that they match: one object asks again for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stages.deliver.direct import refusals
from cluster_forge.stages.deliver.direct.step_documents import StepDocument


class RefusingWebhooks:
    """The objects that ask for others, of all components of a deployment: they meet the same webhooks."""

    def __init__(self) -> None:
        self._asking: dict[str, StepDocument | None] = {}
        """By webhook: the object that asks; None as soon as it has another answer."""
        self._lock = Lock()

    def due(self, refused: Mapping[StepDocument, ForgeError]) -> list[StepDocument]:
        """Those to apply again now. The others wait for the object that asks."""
        with self._lock:
            return [document for document, error in refused.items() if self._is_due(document, error)]

    def _is_due(self, document: StepDocument, error: ForgeError) -> bool:
        webhook = refusals.uncalled_webhook(error)
        return not webhook or self._asking.setdefault(webhook, document) in (None, document)

    def note(self, answers: Mapping[StepDocument, ForgeError | None]) -> None:
        """What became of objects that were applied."""
        with self._lock:
            for document, error in answers.items():
                webhook = refusals.uncalled_webhook(error)
                if webhook and self._asking.get(webhook) is None:
                    self._asking.pop(webhook, None)  # it cannot be called again
                for name in [name for name, asking in self._asking.items() if asking == document and name != webhook]:
                    self._asking[name] = None

    def leave(self, documents: Iterable[StepDocument]) -> None:
        """These are not applied again: others ask in their place."""
        with self._lock:
            gone = set(documents)
            self._asking = {name: asking for name, asking in self._asking.items() if asking not in gone}
