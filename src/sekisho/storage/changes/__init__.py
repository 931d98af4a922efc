"""Every change of the port, as steps. The one table that an engine looks into."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.ports import changes
from sekisho.storage.changes import (
    accounts,
    codes,
    erasure,
    keys,
    limits,
    outbox,
    records,
    restoring,
    rotation,
    session_ends,
    session_starts,
    upkeep,
)
from sekisho.storage.steps import Maker

STEPS_OF: Mapping[type[changes.Change], Maker] = {
    changes.AddAccount: accounts.add_account,
    changes.ChangeProfile: accounts.change_profile,
    changes.ReplacePasswordHash: accounts.replace_password_hash,
    changes.SetPassword: accounts.set_password,
    changes.SetAccountStatus: accounts.set_account_status,
    changes.SetRoles: accounts.set_roles,
    changes.EraseAccount: erasure.erase_account,
    changes.StartSession: session_starts.start_session,
    changes.RotateSession: rotation.rotate_session,
    changes.TouchSession: session_starts.touch_session,
    changes.SaveSessionUse: session_starts.save_session_use,
    changes.EndSession: session_ends.end_session,
    changes.EndSessions: session_ends.end_sessions,
    changes.EndExpiredSessions: session_ends.end_expired_sessions,
    changes.AddPendingSignUp: codes.add_pending_sign_up,
    changes.ReplaceCode: codes.replace_code,
    changes.CountCodeTry: codes.count_code_try,
    changes.ConsumeCode: codes.consume_code,
    changes.SpoilSignUps: codes.spoil_sign_ups,
    changes.CountTry: limits.count_try,
    changes.GiveBackTry: limits.give_back_try,
    changes.RememberDevice: limits.remember_device,
    changes.AddSigningKey: keys.add_signing_key,
    changes.SetKeyState: keys.set_key_state,
    changes.SetMeta: keys.set_meta,
    changes.AppendJournal: records.append_journal,
    changes.AppendAudit: records.append_audit,
    changes.QueueMail: outbox.queue_mail,
    changes.ClaimMail: outbox.claim_mail,
    changes.MailSent: outbox.mail_sent,
    changes.MailFailed: outbox.mail_failed,
    changes.PurgeExpired: upkeep.purge_expired,
    changes.RaiseEpoch: restoring.raise_epoch,
}
