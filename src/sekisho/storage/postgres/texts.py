"""The shared statements in PostgreSQL's form: `:name` becomes `$1`, once per text.

Where several transactions write at once, an entry of the journal gets its number after the commit (see `journal`).
Those few texts are replaced as a whole, and so is one that takes turns better here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from sekisho.storage.changes.outbox import CLAIM
from sekisho.storage.changes.records import APPEND_JOURNAL
from sekisho.storage.changes.restoring import JOURNAL_ENDS
from sekisho.storage.queries import COUNTS
from sekisho.storage.steps import Value

# An entry has no number yet: 0 stands for it.
WAIT_IN_JOURNAL = """
INSERT INTO journal_waiting (kind, value, expires_at, reason) VALUES (:kind, :value, :expires_at, :reason) RETURNING 0
"""

ENDS_WAIT_IN_JOURNAL = JOURNAL_ENDS.replace("INSERT INTO journal ", "INSERT INTO journal_waiting ")

COUNT_BOTH = COUNTS.replace(
    "(SELECT count(*) FROM journal)",
    "(SELECT count(*) FROM journal) + (SELECT count(*) FROM journal_waiting)",
)

# Workers that claim at the same moment take different letters, instead of all waiting for the first ones.
CLAIM_OTHERS = CLAIM.replace("LIMIT :limit", "LIMIT :limit FOR UPDATE SKIP LOCKED")

REPLACED: Mapping[str, str] = {
    APPEND_JOURNAL: WAIT_IN_JOURNAL,
    JOURNAL_ENDS: ENDS_WAIT_IN_JOURNAL,
    COUNTS: COUNT_BOTH,
    CLAIM: CLAIM_OTHERS,
}

# Not behind a colon: that is a cast.
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


@cache
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return the text with numbered parameters, and the names in the order of the numbers.

    The set of texts is fixed by the code (`list_audit` puts together a few dozen), so each is kept.
    """
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    text = _PARAMETER.sub(number, REPLACED.get(sql, sql))
    return text, tuple(names)


def with_values(sql: str, values: Mapping[str, Value]) -> tuple[str, list[Value]]:
    """Return what the driver takes: the text and the values in order."""
    text, names = numbered(sql)
    return text, [values[name] for name in names]
