"""Webhooks that the API server cannot call yet refuse every object that they match: one object asks again for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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

    @contextmanager
    def refused(self) -> Iterator[Refused]:
        """The objects that one component applies until each is accepted. What is refused at the end is not applied again:
        others ask in its place.
        """
        objects = Refused(self)
        try:
            yield objects
        finally:
            self._leave(objects.errors)

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

    def _leave(self, documents: Iterable[StepDocument]) -> None:
        with self._lock:
            gone = set(documents)
            self._asking = {name: asking for name, asking in self._asking.items() if asking not in gone}


class Refused:
    """Objects of one component, each with its last refusal; `RefusingWebhooks.refused` makes it."""

    def __init__(self, webhooks: RefusingWebhooks) -> None:
        self.errors: Mapping[StepDocument, ForgeError] = {}
        self._webhooks = webhooks

    def note(self, answers: Mapping[StepDocument, ForgeError | None]) -> None:
        """What became of objects that were applied; None: they were accepted."""
        self._webhooks.note(answers)
        merged = {**self.errors, **answers}
        self.errors = {document: error for document, error in merged.items() if error}

    def due(self) -> list[StepDocument]:
        """Those to apply again now. The others wait for the object that asks for all."""
        return self._webhooks.due(self.errors)
