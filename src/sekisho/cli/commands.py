"""Every command of `sekisho`, put together."""

from __future__ import annotations

from sekisho.cli import (
    audit,
    audit_export,
    audit_proof,
    backup,
    config,
    doctor,
    guard_key,
    import_users,
    init,
    key,
    migrate,
    move,
    passwords,
    secret,
    session,
    user,
    user_credentials,
    user_set_email,
    user_show,
)
from sekisho.cli.starting import app
from sekisho.cli.surroundings import TAKES_IDS
from sekisho.cli.texts import say

__all__ = ["app"]

app.command("init", help=say("help.init"))(init.init)
app.command("migrate", help=say("help.migrate"))(migrate.migrate)
app.command("backup", help=say("help.backup"))(backup.backup)
app.command("restore", help=say("help.restore"))(backup.restore)
app.command("move", help=say("help.move"))(move.move)
app.command("doctor", help=say("help.doctor"))(doctor.doctor)
app.command("config", help=say("help.config"))(config.config)
app.command("openapi", help=say("help.openapi"))(config.openapi)
user.app.command("show", help=say("help.user_show"), context_settings=TAKES_IDS)(user_show.show)
user.app.command("reset-factors", help=say("help.user_reset_factors"), context_settings=TAKES_IDS)(
    user_credentials.reset_factors
)
user.app.command("remove-recovery-email", help=say("help.user_remove_recovery_email"), context_settings=TAKES_IDS)(
    user_credentials.remove_recovery_email
)
user.app.command("forget-devices", help=say("help.user_forget_devices"), context_settings=TAKES_IDS)(
    user_credentials.forget_devices
)
user.app.command("force-password-change", help=say("help.user_force_password_change"), context_settings=TAKES_IDS)(
    user_credentials.force_password_change
)
user.app.command("set-email", help=say("help.user_set_email"), context_settings=TAKES_IDS)(user_set_email.set_email)
user.app.command("unlock", help=say("help.user_unlock"), context_settings=TAKES_IDS)(user_credentials.unlock)
app.add_typer(user.app, name="user")
app.add_typer(import_users.app, name="import")
app.add_typer(passwords.app, name="passwords")
app.add_typer(session.app, name="session")
app.add_typer(key.app, name="key")
app.add_typer(secret.app, name="secret")
audit.app.command("export", help=say("help.audit_export"))(audit_export.export)
audit.app.command("report", help=say("help.audit_report"))(audit_export.report)
audit.app.command("verify", help=say("help.audit_verify"))(audit_proof.verify)
audit.app.command("head", help=say("help.audit_head"))(audit_proof.show_head)
app.add_typer(guard_key.app, name="guard-key")
app.add_typer(audit.app, name="audit")
