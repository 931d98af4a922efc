"""The settings of text messages: what cannot work is said before the first message."""

from __future__ import annotations

from pathlib import Path

import phonenumbers
import pytest

from sekisho.settings import SettingsError, describe, load
from sekisho.settings.rules.regions import REGIONS

SECRET = "vJ0mN2Yq7Tz4Kc9Xw1Lb6Rd3Hs8Gf5Pa0Ue2Io4Qy7Z"
OTHER_SECRET = "Zy7Qo4Ie2Ua0Pf5Gs8Hd3Rb6Lw1Xc9Kz4Tq7Yn2Mj0v"
PRODUCTION = {
    "SEKISHO_SECRET": SECRET,
    "SEKISHO_PUBLIC_URL": "https://auth.example.com",
    "SEKISHO_DATABASE_URL": "sqlite:////var/lib/sekisho/sekisho.db",
    "SMTP_HOST": "smtp.example.com",
    "SMTP_FROM": "no-reply@example.com",
}
OFFERED = {
    "SEKISHO_FACTORS__KINDS": "totp,sms",
    "SEKISHO_SMS__COUNTRIES": "JP, US",
    "SEKISHO_SMS__URL": "https://sms.example.net/send",
    "SEKISHO_SMS__SECRET": OTHER_SECRET,
}


def mistakes(folder: Path, **environ: str) -> dict[str, str]:
    given = {name: value for name, value in {**PRODUCTION, **OFFERED, **environ}.items() if value != "unset"}
    with pytest.raises(SettingsError) as refused:
        load("serve", given, folder)
    for mistake in refused.value.mistakes:
        assert mistake.ja
        assert mistake.ja != mistake.en
    return {mistake.variable: mistake.en for mistake in refused.value.mistakes}


def test_what_text_messages_need_is_enough(tmp_path: Path) -> None:
    settings = load("serve", {**PRODUCTION, **OFFERED}, tmp_path)
    assert settings.factors.kinds == ("totp", "sms")
    assert settings.sms.countries == ("JP", "US")
    shown = {row.path: row.value for row in describe(settings)}
    assert (shown["sms.secret"], shown["sms.header"]) == ("********", "Authorization")


def test_V6_6_1_text_messages_are_off_by_default(tmp_path: Path) -> None:
    assert "sms" not in load("serve", PRODUCTION, tmp_path).factors.kinds
    assert "sms" not in load("dev", {}, tmp_path).factors.kinds


def test_the_countries_are_those_of_the_library_that_reads_numbers() -> None:
    assert phonenumbers.SUPPORTED_REGIONS == REGIONS


def test_dev_needs_countries_only(tmp_path: Path) -> None:
    load("dev", {"SEKISHO_FACTORS__KINDS": "sms", "SEKISHO_SMS__COUNTRIES": "JP"}, tmp_path)
    with pytest.raises(SettingsError, match="SEKISHO_SMS__COUNTRIES"):
        load("dev", {"SEKISHO_FACTORS__KINDS": "sms"}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("SEKISHO_SMS__URL", "unset", "is missing"),
        ("SEKISHO_SMS__URL", "http://sms.example.net/", "must be https"),
        ("SEKISHO_SMS__URL", "https://user:pw@sms.example.net/", "must be https"),
        ("SEKISHO_SMS__URL", "sms.example.net", "must be https"),
        ("SEKISHO_SMS__URL", "https://sms.example.net:99999/", "must be https"),
        ("SEKISHO_SMS__SECRET", "unset", "is missing"),
        ("SEKISHO_SMS__SECRET", "short", "too short"),
        ("SEKISHO_SMS__COUNTRIES", "unset", "is missing"),
        ("SEKISHO_SMS__COUNTRIES", "JP,UK", "'UK', which is no country code"),
        ("SEKISHO_SMS__COUNTRIES", "jp", "no country code"),
        ("SEKISHO_SMS__HEADER", "X Key", ""),
        ("SEKISHO_SMS__TOKEN", "two\nlines", "printable"),
        ("SEKISHO_SMS__SENDER", "関所", "ASCII"),
        ("SEKISHO_SMS__DOMAIN", "https://app.example.com", "must be a host"),
        ("SEKISHO_SMS__DOMAIN", "app.example.com #123456", "must be a host"),
        ("SEKISHO_SMS__CONSOLE", "true", "sekisho dev only"),
        ("SEKISHO_SMS__SENDS_PER_DAY", "0", ""),
    ],
)
def test_what_cannot_work_is_refused_by_its_name(tmp_path: Path, variable: str, value: str, why: str) -> None:
    told = mistakes(tmp_path, **{variable: value})
    assert set(told) == {variable}
    assert why in told[variable]


def test_a_gateway_on_this_machine_may_speak_http(tmp_path: Path) -> None:
    load("serve", {**PRODUCTION, **OFFERED, "SEKISHO_SMS__URL": "http://127.0.0.1:9000/send"}, tmp_path)
