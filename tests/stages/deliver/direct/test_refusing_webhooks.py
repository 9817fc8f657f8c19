"""Which object asks again a webhook that could not be called, for all components."""

from __future__ import annotations

from cluster_forge.foundation.errors import ForgeError, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.direct.refusing_webhooks import RefusingWebhooks
from cluster_forge.stages.deliver.direct.step_documents import StepDocument

UNCALLED = RefusedError('failed calling webhook "mutate.example.com": connection refused', status=500)
ANOTHER = RefusedError('failed calling webhook "check.example.com": connection refused', status=500)
ABSENT = RefusedError('namespaces "shop" not found', status=404)


def document(name: str) -> StepDocument:
    identity = ObjectId(group="", kind="ConfigMap", namespace="shop", name=name)
    return StepDocument(id=identity, digest=name, content=b"")


OURS, OUR_SECOND, THEIRS = map(document, ("ours", "our-second", "theirs"))


def asked(webhooks: RefusingWebhooks, *documents: StepDocument, error: ForgeError = UNCALLED) -> list[StepDocument]:
    """Those that are applied again of these, which the webhook refused."""
    return webhooks.due(dict.fromkeys(documents, error))


def test_one_asks_for_all_until_it_has_another_answer() -> None:
    webhooks = RefusingWebhooks()
    assert asked(webhooks, OURS, OUR_SECOND) == [OURS]
    assert asked(webhooks, THEIRS) == []
    webhooks.note({OURS: UNCALLED})
    assert asked(webhooks, THEIRS) == []
    webhooks.note({OURS: None})
    assert asked(webhooks, THEIRS) == [THEIRS]
    assert asked(webhooks, OUR_SECOND) == [OUR_SECOND]


def test_another_webhook_is_asked_by_another_object() -> None:
    webhooks = RefusingWebhooks()
    assert asked(webhooks, OURS) == [OURS]
    assert asked(webhooks, THEIRS, error=ANOTHER) == [THEIRS]
    webhooks.note({OURS: ANOTHER})
    assert asked(webhooks, OUR_SECOND) == [OUR_SECOND], "the first webhook has answered"
    assert asked(webhooks, OURS, error=ANOTHER) == []


def test_what_is_refused_for_something_else_waits_for_none() -> None:
    webhooks = RefusingWebhooks()
    assert asked(webhooks, OURS) == [OURS]
    assert asked(webhooks, THEIRS, error=ABSENT) == [THEIRS]


def test_who_gives_up_is_replaced() -> None:
    webhooks = RefusingWebhooks()
    assert asked(webhooks, OURS) == [OURS]
    webhooks.leave([OURS])
    assert asked(webhooks, THEIRS) == [THEIRS]


def test_a_webhook_that_cannot_be_called_again_is_asked_by_one_again() -> None:
    webhooks = RefusingWebhooks()
    assert asked(webhooks, OURS) == [OURS]
    webhooks.note({OURS: None})
    webhooks.note({THEIRS: UNCALLED, OUR_SECOND: UNCALLED})
    assert asked(webhooks, THEIRS, OUR_SECOND) == [THEIRS]
