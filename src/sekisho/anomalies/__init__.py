"""Anomalies: small rules that look at a sign-in, each with a score and a reason that a person can follow.

sightings    what is known of a sign-in, and of those before it
rules        one function a rule (pure)
floods       what only shows over many accounts: spraying and stuffing
watch        the rules put together, and what a score leads to
moves        a session that is used from another network than before
"""

from sekisho.anomalies.floods import Floods
from sekisho.anomalies.sightings import Looker
from sekisho.anomalies.watch import OUTCOMES, Anomalies, Judgement, LastUse, Policy

__all__ = ["OUTCOMES", "Anomalies", "Floods", "Judgement", "LastUse", "Looker", "Policy"]
