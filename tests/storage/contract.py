"""The promises of `ports.storage` and `ports.changes`, as tests for any engine.

An engine joins by one class that derives from `StoreContract` and brings a `store` fixture (an open, empty store).
"""

from __future__ import annotations

from storage.contract_accounts import AccountContract
from storage.contract_audit import AuditContract
from storage.contract_codes import CodeContract
from storage.contract_factors import FactorContract
from storage.contract_giving_back import GivingBackContract
from storage.contract_limits import LimitContract
from storage.contract_operations import OperationContract
from storage.contract_recovery import RecoveryContract
from storage.contract_resealing import ResealingContract
from storage.contract_restoring import RestoringContract
from storage.contract_rotation import RotationContract
from storage.contract_sessions import SessionContract
from storage.contract_trust import TrustContract


class StoreContract(
    AccountContract,
    AuditContract,
    SessionContract,
    RotationContract,
    CodeContract,
    FactorContract,
    GivingBackContract,
    LimitContract,
    OperationContract,
    RecoveryContract,
    ResealingContract,
    RestoringContract,
    TrustContract,
):
    """All of them."""
