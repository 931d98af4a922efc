"""The audit trail's closed vocabulary: which events there are, how they may end, why, and with which fields.

Every line that is written goes through `record` (or, for the ends of sessions, through the store, in the
same words). What is not in the table is a programming mistake, not a new kind of event.

Spec: ASVS 16.1.1, 16.2.1, 16.3.1.
"""

from sekisho.audit.events import ACTORS, FAILURE, METHODS, SUCCESS, Event
from sekisho.audit.records import record
from sekisho.audit.vocabulary import VOCABULARY, Entry

__all__ = ["ACTORS", "FAILURE", "METHODS", "SUCCESS", "VOCABULARY", "Entry", "Event", "record"]
