"""Values under the master secret, when another takes over."""

from __future__ import annotations

from sekisho.ports import secret_changes
from sekisho.storage.steps import Step, Steps

RESEAL: dict[secret_changes.Place, str] = {
    "signing_key": (
        "UPDATE signing_keys SET sealed_private = :value WHERE kid = :id AND sealed_private = :was RETURNING 1"
    ),
    "factor": "UPDATE factors SET sealed = :value WHERE id = :id AND sealed = :was RETURNING 1",
    "letter": "UPDATE outbox SET sealed = :value WHERE id = :id AND sealed = :was RETURNING 1",
    "blanked_seal": "UPDATE audit_seals SET blank_tag = :value WHERE number = :id AND blank_tag = :was RETURNING 1",
    "purged_seal": "UPDATE audit_seals SET purge_tag = :value WHERE number = :id AND purge_tag = :was RETURNING 1",
}


def reseal(change: secret_changes.Reseal) -> Steps:
    rows = yield Step(RESEAL[change.place], {"id": change.id, "was": change.was, "value": change.value})
    return bool(rows)
