"""The audit trail.

events       which events there are, how they may end, who acts
vocabulary   the closed table: what each means, with which reasons and fields; the reference page is made from it
records      one line, held to the table
seals        a batch's lines, its link of the keyed chain, and the signed head (pure)
sealing      the background work: seal what is new, blank and purge what is old
verifying    the walk along the chain

Every line that is written goes through `record` (or, for the ends of sessions, through the store, in the
same words). What is not in the table is a programming mistake, not a new kind of event.

Spec: ASVS 16.1.1, 16.2.1, 16.3.1, 16.4.2.
"""

from sekisho.audit.events import ACTORS, FAILURE, METHODS, SUCCESS, Event
from sekisho.audit.records import record
from sekisho.audit.vocabulary import VOCABULARY, Entry

__all__ = ["ACTORS", "FAILURE", "METHODS", "SUCCESS", "VOCABULARY", "Entry", "Event", "record"]
