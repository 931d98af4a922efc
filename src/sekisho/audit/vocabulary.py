"""What each event means, why it may end as it does, and which fields a record of it may carry.

The reference page is made from this table.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit.events import FAILURE, SUCCESS, Event
from sekisho.model import EndReason, Unusual


class Entry(Struct, frozen=True, kw_only=True):
    """What one event means.

    reasons: for each outcome that the event can have, the reasons that it may give; "" is none.
    fields: what a record of it may carry, beside event, outcome, reason, actor, time and where the request came from.
    """

    en: str
    ja: str
    reasons: dict[str, tuple[str, ...]]
    fields: tuple[str, ...]


_DONE: dict[str, tuple[str, ...]] = {SUCCESS: ("",)}
_SESSION = ("account_id", "session_id", "client_id")
_OPERATION = ("account_id",)
_FIRST_CODE = ("wrong_code", "code_used", "code_gone", "code_dead", "no_such_method", "unreadable_secret")
_WRONG_CODE = (*_FIRST_CODE, "factor_locked")

_AT_MOVE = (
    Unusual.REFRESH_NETWORK,
    Unusual.NEW_COUNTRY,
    Unusual.IMPOSSIBLE_TRAVEL,
    Unusual.REFRESH_DEVICE,
    Unusual.SPRAYING,
)
_AT_SIGN_IN = tuple(each for each in Unusual if each not in (Unusual.REFRESH_NETWORK, Unusual.REFRESH_DEVICE))

VOCABULARY: dict[Event, Entry] = {
    Event.SIGN_UP_CODE_SENT: Entry(
        en="A sign-up was opened and its code was queued as mail. The same line for an address that has an account.",
        ja="サインアップが始まり、確認コードのメールを送信待ちに入れました。登録済みのアドレスでも同じ記録になります。",
        reasons=_DONE,
        fields=("client_id", "identifier_tag"),
    ),
    Event.SIGN_UP_CODE_RESENT: Entry(
        en="A new code replaced the older one of an open sign-up.",
        ja="進行中のサインアップのコードを新しいものに替えました。古いコードは使えません。",
        reasons=_DONE,
        fields=("client_id", "identifier_tag"),
    ),
    Event.SIGN_UP: Entry(
        en="A code came back: the account and its first session exist, or the code was refused.",
        ja="コードが入力されました。アカウントと最初のセッションが作られたか、コードが拒否されました。",
        reasons={
            SUCCESS: ("",),
            FAILURE: ("wrong_code", "code_dead", "code_gone", "no_sign_up", "wrong_client", "decoy", "email_taken"),
        },
        fields=(*_SESSION, "method", "identifier_tag", "place", "device"),
    ),
    Event.LOGIN: Entry(
        en="Somebody signed in, or was refused.",
        ja="ログインに成功したか、拒否されました。",
        reasons={
            SUCCESS: ("",),
            FAILURE: (
                "unknown_account",
                "wrong_password",
                "account_disabled",
                "no_password",
                "changed_meanwhile",
                "too_unusual",
            ),
        },
        fields=(*_SESSION, "method", "identifier_tag", "place", "device"),
    ),
    Event.SIGN_IN_UNUSUAL: Entry(
        en="The password was right and the sign-in is unusual: one line for each rule that says so.",
        ja="パスワードは正しいものの、普段と異なるサインインです。該当する規則ごとに 1 件記録します。",
        reasons={SUCCESS: _AT_SIGN_IN},
        fields=("account_id", "client_id"),
    ),
    Event.SESSION_UNUSUAL: Entry(
        en="A session was used from another network, in an unusual way: one line for each rule that says so.",
        ja="セッションが別のネットワークから普段と異なる形で使われました。該当する規則ごとに 1 件記録します。",
        reasons={SUCCESS: _AT_MOVE},
        fields=(*_SESSION, "device"),
    ),
    Event.ATTACK_SEEN: Entry(
        en="Refused sign-ins show an attack on many accounts: one network tries many, or many networks do.",
        ja="拒否されたサインインから、多数のアカウントへの攻撃が見つかりました。理由が種類を示します。",
        reasons={SUCCESS: (Unusual.SPRAYING, Unusual.STUFFING)},
        fields=("client_id",),
    ),
    Event.SECOND_FACTOR_ASKED: Entry(
        en="The password was right and the second factor was asked for; nothing has been issued yet.",
        ja="パスワードが正しく、第二要素を求めました。まだ何も発行していません。",
        reasons=_DONE,
        fields=("account_id", "client_id", "method"),
    ),
    Event.SECOND_FACTOR: Entry(
        en="The second step of a sign-in was refused. One that was right is the success of `login`.",
        ja="サインインの第二段階が拒否されました。成功した場合は `login` の成功として記録されます。",
        reasons={
            FAILURE: (
                *_WRONG_CODE,
                "factor_suspended",
                "challenge_gone",
                "challenge_dead",
                "wrong_client",
                "changed_meanwhile",
            ),
        },
        fields=("account_id", "client_id", "method"),
    ),
    Event.FACTOR_CODE_SENT: Entry(
        en="A code for a second factor was queued: to sign in, to step up, or to enrol.",
        ja="第二要素のコードを送信待ちに入れました。サインイン、再認証、または登録のためです。",
        reasons=_DONE,
        fields=(*_SESSION, "method"),
    ),
    Event.STEP_UP: Entry(
        en="A live session was given a fresh or stronger proof, or the proof was refused.",
        ja="有効なセッションで再認証に成功したか、拒否されました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_password", *_WRONG_CODE, "changed_meanwhile")},
        fields=(*_SESSION, "method"),
    ),
    Event.FACTOR_ADDED: Entry(
        en="A second factor was enrolled, or its phone number or the code that should confirm it was refused.",
        ja="第二要素が登録されたか、その電話番号または登録を確認するコードが拒否されました。",
        reasons={SUCCESS: ("",), FAILURE: (*_FIRST_CODE, "phone_refused")},
        fields=(*_SESSION, "subject"),
    ),
    Event.FACTOR_RENAMED: Entry(
        en="The owner gave a second factor another name.",
        ja="本人が第二要素の名前を変えました。",
        reasons=_DONE,
        fields=(*_SESSION, "subject"),
    ),
    Event.FACTOR_REMOVED: Entry(
        en="The owner removed a second factor.",
        ja="本人が第二要素を削除しました。",
        reasons=_DONE,
        fields=(*_SESSION, "subject"),
    ),
    Event.FACTOR_SUSPENDED: Entry(
        en="The password was set anew by mail, or an operator gave the account another address: codes by mail count no "
        "more beside an app or a phone, until one of those or a recovery code was shown.",
        ja="メールでパスワードが再設定されたか、運用者が別のアドレスを設定しました。アプリ、電話、回復コードのいずれかで確認するまで、"
        "メールのコードは使えません。",
        reasons=_DONE,
        fields=("account_id", "subject"),
    ),
    Event.FACTOR_REACTIVATED: Entry(
        en="A second step was passed with something else: codes by mail count again.",
        ja="別の方法で第二段階を通過したため、メールのコードが再び使えるようになりました。",
        reasons=_DONE,
        fields=("account_id", "client_id", "subject"),
    ),
    Event.FACTORS_RESET: Entry(
        en="An operator removed every second factor and recovery code of an account; its sessions ended.",
        ja="運用者がアカウントの第二要素と回復コードをすべて削除し、そのセッションがすべて終了しました。",
        reasons=_DONE,
        fields=_OPERATION,
    ),
    Event.RECOVERY_CODES_MADE: Entry(
        en="New recovery codes were made; older ones no longer work.",
        ja="新しい回復コードが作られました。以前のものは使えません。",
        reasons=_DONE,
        fields=_SESSION,
    ),
    Event.RECOVERY_CODE_USED: Entry(
        en="A recovery code was used in the place of another second factor.",
        ja="ほかの第二要素の代わりに回復コードが使われました。",
        reasons=_DONE,
        fields=_SESSION,
    ),
    Event.DEVICE_TRUSTED: Entry(
        en="After the second step the owner asked not to be asked again on this device.",
        ja="第二段階の後、本人がこの端末では第二要素を省くよう指定しました。",
        reasons=_DONE,
        fields=("account_id", "client_id", "subject"),
    ),
    Event.TRUSTED_DEVICE_USED: Entry(
        en="The password was right and the device is trusted: no second step was asked for.",
        ja="パスワードが正しく、信頼済みの端末だったため、第二段階を省きました。",
        reasons=_DONE,
        fields=("account_id", "client_id", "subject"),
    ),
    Event.DEVICE_FORGOTTEN: Entry(
        en="A device is trusted no more; without a subject: none of the account's is.",
        ja="端末の信頼を取り消しました。対象が空の場合は、アカウントのすべての端末です。",
        reasons=_DONE,
        fields=(*_SESSION, "subject"),
    ),
    Event.SESSION_ENDED: Entry(
        en="A session ended, whatever ended it.",
        ja="セッションが終了しました。終了のきっかけは理由に記録されます。",
        reasons={SUCCESS: tuple(EndReason)},
        fields=_SESSION,
    ),
    Event.STORE_BEHIND: Entry(
        en="A genuine refresh token was ahead of the store, which has lost a commit; the store caught up.",
        ja="正当なリフレッシュトークンがデータベースより先に進んでいました。失われたコミットの分を追いつかせました。",
        reasons=_DONE,
        fields=_SESSION,
    ),
    Event.PROFILE_CHANGED: Entry(
        en="The owner changed the name or the language.",
        ja="本人が名前または言語を変更しました。",
        reasons=_DONE,
        fields=_SESSION,
    ),
    Event.WITHDRAWAL: Entry(
        en="The account left for good and its personal data was erased, or the password was wrong.",
        ja="アカウントが退会し、個人データが消去されました。または、パスワードが違っていました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_password",)},
        fields=(*_SESSION, "method"),
    ),
    Event.PASSWORD_RESET_CODE_SENT: Entry(
        en="Somebody asked to reset a password; the mail was queued. The same line for an address without an account.",
        ja="パスワードの再設定が求められ、メールを送信待ちに入れました。アカウントのないアドレスでも同じ記録になります。",
        reasons=_DONE,
        fields=("identifier_tag",),
    ),
    Event.PASSWORD_RESET_CODE: Entry(
        en="The code of a password reset came back and was traded for a reset token, or was refused.",
        ja="パスワード再設定のコードが入力されました。再設定用トークンと引き換えられたか、拒否されました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_code", "code_dead", "code_gone")},
        fields=("identifier_tag",),
    ),
    Event.PASSWORD_RESET: Entry(
        en="A reset token set a new password and every session ended, or the token was refused.",
        ja="再設定用トークンで新しいパスワードが設定され、セッションがすべて終了しました。または、トークンが拒否されました。",
        reasons={SUCCESS: ("",), FAILURE: ("code_gone", "code_dead", "changed_meanwhile")},
        fields=("account_id", "method"),
    ),
    Event.NOT_ME: Entry(
        en="The owner said by a mailed code that it was somebody else: all sessions ended, the password went. Or the "
        "code was refused.",
        ja="本人がメールのコードで「自分ではない」と申し出ました。セッションがすべて終了し、パスワードは無効になりました。または、コードが拒否されました。",
        reasons={SUCCESS: ("", "former_address"), FAILURE: ("code_gone", "changed_meanwhile")},
        fields=("account_id", "identifier_tag"),
    ),
    Event.PASSWORD_CHANGE: Entry(
        en="The owner changed the password, or the current one was wrong.",
        ja="本人がパスワードを変更しました。または、現在のパスワードが違っていました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_password",)},
        fields=(*_SESSION, "method"),
    ),
    Event.EMAIL_CHANGE_CODE_SENT: Entry(
        en="The owner asked for another address and a code was queued for it, or the password was wrong.",
        ja="本人がアドレスの変更を求め、新しいアドレスへのコードを送信待ちに入れました。または、パスワードが違っていました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_password",)},
        fields=(*_SESSION, "method"),
    ),
    Event.EMAIL_CHANGE: Entry(
        en="The code came back and the account has the new address, or the code was refused.",
        ja="コードが入力され、アカウントのアドレスが新しくなりました。または、コードが拒否されました。",
        reasons={
            SUCCESS: ("",),
            FAILURE: ("wrong_code", "code_dead", "code_gone", "email_taken", "security_version"),
        },
        fields=(*_SESSION, "method"),
    ),
    Event.EMAIL_RESET: Entry(
        en="An operator gave an account another address for its owner, who had lost the mailbox or the account; its "
        "sessions ended. What was taken away with it has lines of its own.",
        ja="メールボックスまたはアカウントを失った本人のために、運用者がアカウントのアドレスを変更し、そのセッションがすべて終了しました。"
        "同時に取り除かれたものは、それぞれ別の行に記録されます。",
        reasons={SUCCESS: ("taken_over", "lost_mailbox")},
        fields=_OPERATION,
    ),
    Event.RECOVERY_EMAIL_CODE_SENT: Entry(
        en="The owner named a recovery address and a code was queued for it, or the password was wrong.",
        ja="本人が回復用アドレスを指定し、そのアドレスへのコードを送信待ちに入れました。または、パスワードが違っていました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_password",)},
        fields=(*_SESSION, "method"),
    ),
    Event.RECOVERY_EMAIL_SET: Entry(
        en="The code came back and the account has this recovery address, or the code was refused.",
        ja="コードが入力され、アカウントの回復用アドレスになりました。または、コードが拒否されました。",
        reasons={SUCCESS: ("",), FAILURE: ("wrong_code", "code_dead", "code_gone", "security_version")},
        fields=(*_SESSION, "method"),
    ),
    Event.RECOVERY_EMAIL_REMOVED: Entry(
        en='The recovery address was removed: by the owner, by "that was not me", or by an operator.',
        ja="本人、「自分ではない」の申し出、または運用者により、回復用アドレスが削除されました。",
        reasons=_DONE,
        fields=_SESSION,
    ),
    Event.ACCOUNT_ADDED: Entry(
        en="An operator added an account.",
        ja="運用者がアカウントを追加しました。",
        reasons=_DONE,
        fields=_OPERATION,
    ),
    Event.ACCOUNT_DISABLED: Entry(
        en="An operator disabled an account; its sessions ended.",
        ja="運用者がアカウントを無効にし、そのセッションがすべて終了しました。",
        reasons=_DONE,
        fields=_OPERATION,
    ),
    Event.ACCOUNT_ENABLED: Entry(
        en="An operator enabled a disabled account again.",
        ja="運用者が無効なアカウントを再び有効にしました。",
        reasons=_DONE,
        fields=_OPERATION,
    ),
    Event.ROLES_CHANGED: Entry(
        en="An operator changed the roles of an account.",
        ja="運用者がアカウントのロールを変更しました。",
        reasons=_DONE,
        fields=_OPERATION,
    ),
    Event.PASSWORD_CHANGE_FORCED: Entry(
        en="An operator took the password of an account away; its sessions ended, its owner was asked for a new one.",
        ja="運用者がアカウントのパスワードを無効にしました。セッションはすべて終了し、持ち主に再設定を求めました。",
        reasons=_DONE,
        fields=_OPERATION,
    ),
    Event.ACCOUNT_UNLOCKED: Entry(
        en="An operator cleared the counted failures of an address, which has an account or none.",
        ja="運用者がアドレスの失敗回数を消しました。アカウントのないアドレスのこともあります。",
        reasons=_DONE,
        fields=("account_id", "identifier_tag"),
    ),
    Event.SIGNING_KEYS_ROTATED: Entry(
        en="The signing keys moved on, by an operator's command or on schedule; nobody was signed out.",
        ja="運用者の操作または予定により、署名鍵が切り替わりました。ログアウトした利用者はいません。",
        reasons={SUCCESS: ("", "schedule")},
        fields=("subject",),
    ),
    Event.MASTER_SECRET_REPLACED: Entry(
        en="An operator replaced the master secret; nobody was signed out. Later seals are made with the new one.",
        ja="運用者がマスターシークレットを取り替えました。ログアウトした利用者はいません。以後の封印は新しい値で作られます。",
        reasons=_DONE,
        fields=(),
    ),
    Event.DATABASE_RESTORED: Entry(
        en="An operator put a backup back: what happened since is missing before this line, and every session ended.",
        ja="運用者がバックアップを書き戻しました。この行より前にはバックアップ以降の記録がなく、すべてのセッションが終了しました。",
        reasons=_DONE,
        fields=(),
    ),
    Event.GUARD_KEY_ADDED: Entry(
        en="An operator made a key for a protected API.",
        ja="運用者が、保護する API のための鍵を作りました。",
        reasons=_DONE,
        fields=("subject",),
    ),
    Event.GUARD_KEY_REMOVED: Entry(
        en="An operator removed the key of a protected API: it reads no feed and asks about no token any more.",
        ja="運用者が、保護する API の鍵を削除しました。その鍵では失効フィードの取得もトークンの照会もできません。",
        reasons=_DONE,
        fields=("subject",),
    ),
    Event.TOKEN_REVOKED: Entry(
        en="A protected API took back one access token; the session goes on. The subject is the API's key.",
        ja="保護された API がアクセストークンを 1 つ取り消しました。セッションは続きます。対象は API の鍵の id です。",
        reasons=_DONE,
        fields=("subject",),
    ),
    Event.SIGNING_KEY_RETIRED: Entry(
        en="An operator retired a signing key before its time: what it signed is refreshed; nobody was signed out.",
        ja="運用者が署名鍵を期限より前に退役させました。その鍵のトークンは更新されます。ログアウトした利用者はいません。",
        reasons=_DONE,
        fields=("subject",),
    ),
    Event.SIGNING_KEY_COMPROMISED: Entry(
        en="An operator declared a signing key compromised: nothing that it signed is accepted any more.",
        ja="運用者が署名鍵を漏えいしたものとして扱いました。その鍵の署名はもう受け入れられません。",
        reasons=_DONE,
        fields=("subject",),
    ),
}
