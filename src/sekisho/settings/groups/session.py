"""How long sessions live, and how many an account may have."""

from __future__ import annotations

from sekisho.settings.groups.base import Group, setting


class SessionLife(Group):
    idle_days: int = setting(
        30,
        "A session ends after this many days without use.",
        "この日数のあいだ使われないとセッションは終了します。",
        "30",
        ge=1,
        le=365,
    )
    absolute_days: int = setting(
        90,
        "A session ends this many days after sign-in, however much it is used.",
        "利用の有無にかかわらず、サインインからこの日数でセッションは終了します。",
        "90",
        ge=1,
        le=3650,
    )
    aal2_idle_minutes: int = setting(
        0,
        "A session that has shown a second factor ends after this many minutes without use; 0: as any other. NIST asks "
        "for 60.",
        "第二要素を示したセッションは、この分数のあいだ使われないと終了します。0 なら、ほかのセッションと同じです。"
        "NIST は 60 としています。",
        "60",
        ge=0,
        le=525600,
    )
    aal2_absolute_hours: int = setting(
        0,
        "A session that has shown a second factor ends this many hours after that, however much it is used; 0: as any "
        "other. NIST asks for 24.",
        "第二要素を示したセッションは、利用の有無にかかわらず、示してからこの時間数で終了します。"
        "0 なら、ほかのセッションと同じです。NIST は 24 としています。",
        "24",
        ge=0,
        le=87600,
    )
    max_per_account: int = setting(
        5,
        "Live sessions per account; one more ends the one that was unused the longest.",
        "アカウントあたりの同時セッション数。超えると最も長く使われていないものが終了します。",
        "5",
        ge=1,
        le=1000,
    )
    grace_seconds: int = setting(
        60,
        "How long the previous refresh token still gets the same successor.",
        "一つ前のリフレッシュトークンに同じ後継トークンを返す猶予 (秒)。",
        "60",
        ge=0,
        le=600,
    )
