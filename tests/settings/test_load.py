"""Loading: which source wins, what is refused, and how mistakes are told."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from sekisho.assemble import parts
from sekisho.passwords.hashing import usable_cores
from sekisho.passwords.parameters import PROFILES
from sekisho.settings import Settings, SettingsError, StateError, describe, load, reference

SECRET = "vJ0mN2Yq7Tz4Kc9Xw1Lb6Rd3Hs8Gf5Pa0Ue2Io4Qy7Z"
OTHER_SECRET = "Zy7Qo4Ie2Ua0Pf5Gs8Hd3Rb6Lw1Xc9Kz4Tq7Yn2Mj0v"
PRODUCTION = {
    "SEKISHO_SECRET": SECRET,
    "SEKISHO_PUBLIC_URL": "https://auth.example.com",
    "SEKISHO_DATABASE_URL": "sqlite:////var/lib/sekisho/sekisho.db",
    "SMTP_HOST": "smtp.example.com",
    "SMTP_FROM": "Example <no-reply@example.com>",
}


def mistakes(folder: Path, mode: str = "serve", **environ: str) -> dict[str, str]:
    """Return what is wrong, by variable; nothing if the settings load."""
    given = {**PRODUCTION, **environ} if mode == "serve" else environ
    given = {name: value for name, value in given.items() if value != "unset"}
    try:
        load("serve" if mode == "serve" else "dev", given, folder)
    except SettingsError as error:
        return {mistake.variable: mistake.en for mistake in error.mistakes}
    return {}


def origins(settings: Settings) -> dict[str, tuple[str, str]]:
    return {row.path: (row.value, row.origin) for row in describe(settings)}


def test_dev_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = load("dev", {}, tmp_path)
    assert settings.public_url == settings.audience == "http://localhost:8080"
    assert settings.database_path == tmp_path / ".sekisho" / "sekisho.db"
    assert settings.log.format == "console"
    assert len(settings.master_secret) >= 43


def test_production_loads_with_the_five_things_it_asks_for(tmp_path: Path) -> None:
    settings = load("serve", PRODUCTION, tmp_path)
    assert settings.database_path == Path("/var/lib/sekisho/sekisho.db")
    assert settings.mail.sender == "Example <no-reply@example.com>"
    assert settings.mail.actual_port == 587
    assert settings.log.format == "json"
    assert not (tmp_path / ".sekisho").exists()


def test_production_names_everything_that_is_missing_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load("serve", {}, tmp_path)
    assert {mistake.variable for mistake in error.value.mistakes} == {
        "SEKISHO_SECRET",
        "SEKISHO_PUBLIC_URL",
        "SEKISHO_DATABASE_URL",
        "SEKISHO_MAIL__HOST",
        "SEKISHO_MAIL__FROM",
    }
    assert all(mistake.example for mistake in error.value.mistakes)


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("SEKISHO_PORT", "eighty", "whole number"),
        ("SEKISHO_PORT", "70000", "at most 65535"),
        ("SEKISHO_JWT__ACCESS_MINUTES", "4", "at least 5"),
        ("SEKISHO_JWT__ACCESS_MINUTES", "61", "at most 60"),
        ("SEKISHO_JWT__ALGORITHM", "none", "'ES256', 'Ed25519', 'RS256' or 'HS256'"),
        ("SEKISHO_JWT__CLAIMS", "email,phone", "'email' or 'roles'"),
        ("SEKISHO_SESSION__GRACE_SECONDS", "601", "at most 600"),
        ("SEKISHO_SESSION__IDLE_DAYS", "91", "longer than the 90 days"),
        ("SEKISHO_SESSION__AAL2_IDLE_MINUTES", "15", "longer than an access token lives (15)"),
        ("SEKISHO_SESSION__AAL2_IDLE_MINUTES", "43201", "not longer than 43200 minutes"),
        ("SEKISHO_SESSION__AAL2_ABSOLUTE_HOURS", "2161", "longer than the 90 days"),
        ("SEKISHO_SIGNUP__REVEAL_EXISTING", "perhaps", "true or false"),
        ("SEKISHO_CSRF__COOKIE_NAME", "a; Path=/x", "letters, digits"),
        ("SEKISHO_WORKERS", "0", "at least 1"),
        ("SEKISHO_WORKERS", "2", "to a PostgreSQL database"),
        ("SEKISHO_METRICS", "everywhere", "loopback, off or a port"),
        ("SEKISHO_METRICS", "8080", "another port"),
        ("SEKISHO_TRUSTED_PROXIES", "10.0.0.1/8", "not a network"),
        ("SEKISHO_TRUSTED_PROXIES", "::/0", "must not trust everybody"),
        ("SEKISHO_PLACES_FILE", "missing.mmdb", "not a file"),
        ("SEKISHO_PASSWORD__BREACHED_FILE", "missing.bin", "not a file"),
        ("SEKISHO_PASSWORD__BREACHED_URL", "http://api.example/range", "an https address"),
        ("SEKISHO_PASSWORD__BREACHED_URL", "https://user@api.example/range", "an https address"),
        ("SEKISHO_PASSWORD__BREACHED_TIMEOUT_MS", "1501", "at most 1500"),
        ("SEKISHO_PASSWORD__MIN_SCORE", "5", "at most 4"),
        ("SEKISHO_PUBLIC_URL", "https://auth.example.com/", "without a path"),
        ("SEKISHO_PUBLIC_URL", "https://user@auth.example.com", "without a path"),
        ("SEKISHO_PUBLIC_URL", "http://auth.example.com", "https in production"),
        ("SEKISHO_PUBLIC_URL", "http://localhost:8080", "https in production"),
        ("ALLOWED_ORIGINS", "*", "would let any site"),
        ("ALLOWED_ORIGINS", "https://*.example.com", "would let any site"),
        ("SEKISHO_ALLOWED_ORIGINS", "https://a.example.com/app", "not an origin"),
        ("SEKISHO_ALLOWED_ORIGINS", "https://A.example.com", "not an origin"),
        ("SEKISHO_ALLOWED_ORIGINS", "https://a.example.com:443", "not an origin"),
        ("SEKISHO_ALLOWED_ORIGINS", "null", "not an origin"),
        ("SEKISHO_DATABASE_URL", "postgresql://db/sekisho", "must be postgresql://user@host"),
        ("SEKISHO_DATABASE_URL", "postgresql+asyncpg://u@db/sekisho", "must be postgresql://user@host"),
        ("SEKISHO_DATABASE_URL", "postgresql://u:p@db:none/sekisho", "must be postgresql://user@host"),
        ("SEKISHO_DATABASE_URL", "postgresql://u@db/sekisho?sslmode=on", "unknown sslmode"),
        ("SEKISHO_DATABASE_URL", "sqlite://", "path of a file"),
        ("SEKISHO_DATABASE_URL", "sqlite:///:memory:", "path of a file"),
        ("SMTP_FROM", "nobody", "not a mail address"),
        ("SMTP_FROM", "a@example.com\nBcc: b@example.com", "not a mail address"),
        ("SEKISHO_PRODUCT_NAME", "A\nB", "one line"),
        ("SEKISHO_SECRET", "short", "too short: 5 characters"),
        ("SEKISHO_PASSWORD__PEPPER", "short", "too short: 5 characters"),
        ("SEKISHO_SECRET", "a" * 64, "looks like an example"),
        ("SEKISHO_SECRET", "kT9!wQ4zB7#xN2" * 4, "looks like an example"),
        ("SEKISHO_SECRET", "please-change-me-to-something-long-and-random-1", "looks like an example"),
        ("JWT_SECRET_KEY", "k" * 31, "too short: 31 bytes"),
        ("JWT_SECRET_KEY", "my-super-secret-key-that-is-long-enough", "looks like an example"),
        ("JWT_SECRET_KEY", SECRET, "the same as SEKISHO_SECRET"),
        ("JWT_SECRET_KEY", "", "is empty"),
    ],
)
def test_a_wrong_value_is_refused_under_its_own_name(tmp_path: Path, variable: str, value: str, why: str) -> None:
    found = mistakes(tmp_path, **{variable: value})
    assert list(found) == [variable]
    assert why in found[variable]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("SEKISHO_JWT_ACCESS_MINUTES", "SEKISHO_JWT__ACCESS_MINUTES"),
        ("SEKISHO_JWT__ACCESS_MINUTE", "SEKISHO_JWT__ACCESS_MINUTES"),
        ("SEKISHO_PUBLICURL", "SEKISHO_PUBLIC_URL"),
        ("sekisho_secret", "SEKISHO_SECRET"),
        ("SEKISHO_SERCET_FILE", "SEKISHO_SECRET_FILE"),
    ],
)
def test_a_misspelt_variable_is_a_mistake_that_names_the_right_one(tmp_path: Path, typo: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in mistakes(tmp_path, **{typo: "1"})[typo]


@pytest.mark.parametrize("path", ["mode", "database_path"])
def test_derived_values_cannot_be_set_from_outside(tmp_path: Path, path: str) -> None:
    assert "is not a setting" in mistakes(tmp_path, **{f"SEKISHO_{path.upper()}": "dev"})[f"SEKISHO_{path.upper()}"]


def test_variables_that_kubernetes_makes_get_their_own_explanation(tmp_path: Path) -> None:
    found = mistakes(tmp_path, SEKISHO_PORT="tcp://10.0.0.1:8080", SEKISHO_SERVICE_HOST="10.0.0.1")
    assert all("enableServiceLinks" in why for why in found.values())
    assert set(found) == {"SEKISHO_PORT", "SEKISHO_SERVICE_HOST"}


def test_an_option_beats_the_environment_which_beats_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SEKISHO_PORT=1001\nSEKISHO_HOST=::1\nSEKISHO_LOG__LEVEL=debug\n")
    settings = load("dev", {"PORT": "2002", "SEKISHO_HOST": "0.0.0.0"}, tmp_path, {"host": "127.0.0.2"})
    rows = origins(settings)
    assert rows["port"] == ("2002", "environment PORT")
    assert rows["host"] == ("127.0.0.2", "option --host")
    assert rows["log.level"] == ("debug", ".env SEKISHO_LOG__LEVEL")
    assert rows["csrf.cookie_name"] == ("csrftoken", "default")


def test_our_own_name_beats_its_alias(tmp_path: Path) -> None:
    assert load("dev", {"PORT": "2002", "SEKISHO_PORT": "3003"}, tmp_path).port == 3003


def test_production_does_not_read_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SEKISHO_PORT=1001\nSEKISHO_NONSENSE=1\n")
    assert load("serve", PRODUCTION, tmp_path).port == 8080


def test_an_empty_variable_counts_as_not_given(tmp_path: Path) -> None:
    assert load("dev", {"PORT": "", "DB_HOST": "", "SEKISHO_PUBLIC_URL": ""}, tmp_path).port == 8080


def test_a_secret_comes_from_a_file_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "master").write_text(SECRET + "\n")
    environ = {**PRODUCTION, "SEKISHO_SECRET_FILE": "master"}
    del environ["SEKISHO_SECRET"]
    settings = load("serve", environ, tmp_path)
    assert settings.master_secret == SECRET.encode()
    assert origins(settings)["secret"] == ("********", "file master (SEKISHO_SECRET_FILE)")


def test_a_secret_given_twice_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "master").write_text(SECRET)
    assert "given twice" in mistakes(tmp_path, SEKISHO_SECRET_FILE="master")["SEKISHO_SECRET"]


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff" * 50, b"x" * 70_000])
def test_an_unusable_secret_file_is_one_clear_mistake(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "master").write_bytes(content)
    found = mistakes(tmp_path, SEKISHO_SECRET="unset", SEKISHO_SECRET_FILE="master")
    assert list(found) == ["SEKISHO_SECRET_FILE"]


def test_jwt_secret_key_selects_hs256_with_that_key(tmp_path: Path) -> None:
    settings = load("dev", {"JWT_SECRET_KEY": OTHER_SECRET}, tmp_path)
    assert settings.jwt.algorithm == "HS256"
    assert settings.jwt.secret_key is not None
    assert settings.jwt.secret_key.get_secret_value() == OTHER_SECRET


def test_several_workers_need_postgresql_and_production(tmp_path: Path) -> None:
    postgres = "postgresql://auth@db.example.com/auth"
    assert mistakes(tmp_path, SEKISHO_WORKERS="4", SEKISHO_DATABASE_URL=postgres) == {}
    assert "one process" in mistakes(tmp_path, "dev", SEKISHO_WORKERS="4")["SEKISHO_WORKERS"]


def test_workers_share_the_cores_out_for_hashing_unless_somebody_chose(tmp_path: Path) -> None:
    given = {**PRODUCTION, "SEKISHO_DATABASE_URL": "postgresql://auth@db.example.com/auth"}

    def threads(**more: str) -> int:
        have = parts(load("serve", {**given, **more}, tmp_path))
        have.passwords.close()
        return have.passwords.threads

    cores = usable_cores()
    assert threads() == cores
    assert threads(SEKISHO_WORKERS="2") == max(1, cores // 2)
    assert threads(SEKISHO_WORKERS="200") == 1
    assert threads(SEKISHO_WORKERS="200", SEKISHO_PASSWORD__THREADS="3") == 3


def test_hs256_without_a_key_and_a_key_without_hs256_are_mistakes(tmp_path: Path) -> None:
    assert "HS256 needs it" in mistakes(tmp_path, SEKISHO_JWT__ALGORITHM="HS256")["SEKISHO_JWT__SECRET_KEY"]
    both = mistakes(tmp_path, SEKISHO_JWT__ALGORITHM="ES256", JWT_SECRET_KEY=OTHER_SECRET)
    assert "is ES256" in both["SEKISHO_JWT__ALGORITHM"]


def test_a_second_factor_that_nobody_could_enrol_cannot_be_required(tmp_path: Path) -> None:
    given = {"SEKISHO_FACTORS__KINDS": "email", "SEKISHO_FACTORS__REQUIRED_ROLES": "admin"}
    assert "lacks totp and sms" in mistakes(tmp_path, **given)["SEKISHO_FACTORS__KINDS"]
    assert mistakes(tmp_path, SEKISHO_FACTORS__REQUIRED_ROLES="admin, editor") == {}
    wrong = {"SEKISHO_FACTORS__REQUIRED_ROLES": "ad min", "SEKISHO_FACTORS__REQUIRED_CLIENTS": "web:one"}
    assert set(mistakes(tmp_path, **wrong)) == set(wrong)


def test_an_smtp_password_never_travels_in_the_clear(tmp_path: Path) -> None:
    login = {"SMTP_USER": "mailer", "SMTP_PASSWORD": "pw", "SEKISHO_MAIL__TLS": "off"}
    assert "in the clear" in mistakes(tmp_path, **login)["SEKISHO_MAIL__TLS"]
    assert mistakes(tmp_path, **login, SMTP_HOST="127.0.0.1") == {}


def test_user_and_password_of_smtp_go_together(tmp_path: Path) -> None:
    assert list(mistakes(tmp_path, SMTP_USER="mailer")) == ["SEKISHO_MAIL__PASSWORD"]
    assert list(mistakes(tmp_path, SMTP_PASSWORD="pw")) == ["SEKISHO_MAIL__USER"]


def test_no_secret_shows_in_complaints_or_in_the_settings_themselves(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load("serve", {"SEKISHO_SECRET": "hunter2hunter2", "JWT_SECRET_KEY": "swordfish", "PORT": "x"}, tmp_path)
    assert "hunter2" not in str(error.value) + repr(error.value.mistakes)
    assert "swordfish" not in str(error.value) + repr(error.value.mistakes)
    settings = load("serve", PRODUCTION, tmp_path)
    assert SECRET not in repr(settings) + str(describe(settings)) + settings.model_dump_json()


def test_a_japanese_locale_reads_japanese(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load("dev", {"PORT": "x", "LANG": "ja_JP.UTF-8"}, tmp_path)
    assert str(error.value) == "設定に誤りが 1 件あります。\n  PORT: 整数を指定してください: 'x'\n      例: PORT=8080"
    with pytest.raises(SettingsError, match="must be a whole number"):
        load("dev", {"PORT": "x", "LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, tmp_path)


def test_the_development_secret_is_private_and_kept(tmp_path: Path) -> None:
    first = load("dev", {}, tmp_path).master_secret
    state = tmp_path / ".sekisho"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "secret").stat().st_mode) == 0o600
    assert [path.name for path in state.iterdir()] == ["secret"]
    assert load("dev", {}, tmp_path).master_secret == first


def test_starts_at_the_same_time_agree_on_one_secret(tmp_path: Path) -> None:
    together = threading.Barrier(8)
    seen: list[bytes] = []

    def start() -> None:
        together.wait()
        seen.append(load("dev", {}, tmp_path).master_secret)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


def test_nothing_is_written_when_there_are_mistakes(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "dev", PORT="x")
    assert not (tmp_path / ".sekisho").exists()


def test_a_state_folder_that_cannot_be_made_is_one_clear_mistake(tmp_path: Path) -> None:
    (tmp_path / ".sekisho").write_text("a file is in the way")
    assert list(mistakes(tmp_path, "dev")) == [".sekisho/"]
    with pytest.raises(StateError) as error:
        load("dev", {}, tmp_path)
    assert str(error.value).startswith(f"{tmp_path / '.sekisho'} is in the way")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["", "x", "cut off in the middle", "a" * 50])
def test_a_damaged_development_secret_never_costs_the_data_by_our_advice(tmp_path: Path, damage: str) -> None:
    load("dev", {}, tmp_path)
    secret, database = tmp_path / ".sekisho" / "secret", tmp_path / ".sekisho" / "sekisho.db"
    secret.write_text(damage)
    assert "a new one will be made" in mistakes(tmp_path, "dev")[".sekisho/secret"]

    database.write_text("tables")
    with pytest.raises(StateError) as error:
        load("dev", {}, tmp_path)
    assert str(error.value) == (
        "`.sekisho/secret` is not the secret that `.sekisho/sekisho.db` was made with (or is damaged). "
        "Put the original back, or start over and lose the development data:\n  rm -r .sekisho"
    )
    assert secret.read_text() == damage


def test_no_new_secret_is_made_beside_a_database(tmp_path: Path) -> None:
    load("dev", {}, tmp_path)
    secret, database = tmp_path / ".sekisho" / "secret", tmp_path / ".sekisho" / "sekisho.db"
    database.write_text("tables")
    secret.unlink()
    said = mistakes(tmp_path, "dev")[".sekisho/secret"]
    assert said.startswith("`.sekisho/secret` is missing, the secret that `.sekisho/sekisho.db` was made with.")
    assert not secret.exists()
    assert load("dev", {"SEKISHO_SECRET": SECRET}, tmp_path).master_secret == SECRET.encode()


def test_who_only_reads_makes_no_development_state(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No development data here yet"):
        load("dev", {}, tmp_path, may_create=False)
    assert list(tmp_path.iterdir()) == []
    made = load("dev", {}, tmp_path).master_secret
    assert load("dev", {}, tmp_path, may_create=False).master_secret == made


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"SEKISHO_SECRET": "unset"}, 'SEKISHO_SECRET="$(openssl rand -base64 32)"'),
        ({"SMTP_FROM": "nobody"}, "SMTP_FROM='Sekisho <no-reply@example.com>'"),
        ({"SMTP_USER": "mailer"}, "SEKISHO_MAIL__PASSWORD='<password of the SMTP user>'"),
        ({"SEKISHO_PUBLIC_URL": "https://a.example.com/"}, "SEKISHO_PUBLIC_URL=https://a.example.com"),
    ],
)
def test_an_example_can_be_pasted_into_a_shell(tmp_path: Path, given: dict[str, str], line: str) -> None:
    environ = {name: value for name, value in {**PRODUCTION, **given}.items() if value != "unset"}
    with pytest.raises(SettingsError) as error:
        load("serve", environ, tmp_path)
    assert [mistake.example for mistake in error.value.mistakes] == [line]
    assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0


def test_one_is_not_a_plural(tmp_path: Path) -> None:
    assert "too short: 1 character," in mistakes(tmp_path, SEKISHO_SECRET="x")["SEKISHO_SECRET"]


def test_a_name_that_is_like_no_setting_gets_no_silly_suggestion(tmp_path: Path) -> None:
    assert mistakes(tmp_path, SEKISHO_COLOUR="1")["SEKISHO_COLOUR"] == "is not a setting."


def test_a_weak_hs256_key_is_refused_in_development_too(tmp_path: Path) -> None:
    weak = "my-super-secret-key-that-is-long-enough"
    assert "looks like an example" in mistakes(tmp_path, "dev", JWT_SECRET_KEY=weak)["JWT_SECRET_KEY"]


def test_the_process_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SEKISHO_", "DB_", "REDIS_", "SMTP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PORT", "4004")
    monkeypatch.chdir(tmp_path)
    assert load("dev").port == 4004


def test_the_reference_tells_every_setting_in_two_languages() -> None:
    variables = list(reference())
    assert len({variable.name for variable in variables}) == len(variables) > 30
    for variable in variables:
        assert variable.en.endswith("."), variable.name
        assert variable.ja.endswith("。"), variable.name
        assert variable.example, variable.name


def test_every_example_of_the_reference_works(tmp_path: Path) -> None:
    (tmp_path / "places.mmdb").touch()
    for variable in reference():
        is_free_text = variable.kind == "secret" and variable.path != "redis_url"
        value = OTHER_SECRET if is_free_text else variable.example
        environ = {**PRODUCTION, "SMTP_USER": "mailer", "SMTP_PASSWORD": "pw", variable.name: value}
        if variable.path in ("places_file", "password.breached_file"):
            environ[variable.name] = "places.mmdb"
        if variable.path.startswith("redis."):
            environ.setdefault("REDIS_HOST", "redis.example.com")
        if variable.path.startswith("audit.sink_"):
            environ.setdefault("SEKISHO_AUDIT__SINK", "syslog+tls://logs.example.com")
        if variable.path.startswith("alerts."):
            environ.setdefault("SEKISHO_ALERTS__SECRET", OTHER_SECRET)
        if variable.path.startswith("sms."):
            environ.setdefault("SEKISHO_SMS__SECRET", OTHER_SECRET)
        load("serve", environ, tmp_path)


def test_every_hash_cost_of_the_passwords_can_be_chosen() -> None:
    kind = next(variable.kind for variable in reference() if variable.path == "password.hash")
    assert kind.split(" | ") == list(PROFILES)


def test_the_usual_names_of_a_database_make_its_url_and_the_password_stays_out_of_it(tmp_path: Path) -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != "SEKISHO_DATABASE_URL"}
    parts = {"DB_HOST": "db", "DB_PORT": "5433", "DB_USER": "a@b", "DB_NAME": "auth", "DB_PASSWORD": "hush-hush"}
    settings = load("serve", {**environ, **parts}, tmp_path)
    assert settings.is_postgres
    assert settings.database_url == "postgresql://a%40b@db:5433/auth"
    assert settings.database_place == "db:5433/auth"
    assert settings.database_password is not None
    assert settings.database_password.get_secret_value() == "hush-hush"
    assert settings.origin_of("database_url") == "environment DB_HOST"


def test_the_reports_show_no_password_of_a_database_url(tmp_path: Path) -> None:
    url = "postgresql://sekisho:hush@hush@db/sekisho"
    settings = load("serve", {**PRODUCTION, "SEKISHO_DATABASE_URL": url}, tmp_path)
    assert {row.path: row.value for row in describe(settings)}[
        "database_url"
    ] == "postgresql://sekisho:********@db/sekisho"


def test_pgbouncer_needs_a_way_around_itself_to_listen(tmp_path: Path) -> None:
    given = {"SEKISHO_DATABASE_URL": "postgresql://u@db/sekisho", "SEKISHO_DATABASE_PGBOUNCER": "true"}
    assert "passes on no notifications" in mistakes(tmp_path, **given)["SEKISHO_DATABASE_LISTEN_URL"]
    load("serve", {**PRODUCTION, **given, "SEKISHO_DATABASE_LISTEN_URL": "postgresql://u@db/sekisho"}, tmp_path)


@pytest.mark.parametrize(
    ("sink", "wrong"),
    [
        ("logs.example.com:514", "must be file:///path"),
        ("https://logs.example.com", "must be file:///path"),
        ("file://host/audit.jsonl", "must be file:///path"),
        ("file:///tmp/", "must be file:///path"),
        ("syslog+tcp://user:pw@logs.example.com", "must be file:///path"),
        ("syslog+tcp://logs.example.com?ca=/x", "must be file:///path"),
        ("syslog+tls://logs.example.com?ca=/nowhere/at/all.pem", "not there or not readable"),
        ("file:///nowhere/at/all/audit.jsonl", "names a file in a folder that is not there"),
    ],
)
def test_a_sink_of_the_audit_trail_that_cannot_be_is_refused(tmp_path: Path, sink: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong) as refused:
        load("serve", {**PRODUCTION, "SEKISHO_AUDIT__SINK": sink}, tmp_path)
    assert "SEKISHO_AUDIT__SINK" in str(refused.value)


def test_a_demand_on_a_sink_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SEKISHO_AUDIT__SINK: is missing"):
        load("serve", {**PRODUCTION, "SEKISHO_AUDIT__SINK_DEMAND_MINUTES": "5"}, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "http://alerts.example.com/in",
        "ftp://alerts.example.com/in",
        "https://user@alerts.example.com/in",
        "https://alerts.example.com/in#here",
        "https:///in",
        "https://alerts.example.com:99999/in",
        "alerts.example.com",
    ],
)
def test_an_address_for_alerts_that_others_could_read_or_forge_is_refused(tmp_path: Path, url: str) -> None:
    environ = {**PRODUCTION, "SEKISHO_ALERTS__URL": url, "SEKISHO_ALERTS__SECRET": OTHER_SECRET}
    with pytest.raises(SettingsError, match="SEKISHO_ALERTS__URL"):
        load("serve", environ, tmp_path)


def test_alerts_are_signed_or_not_sent(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "SEKISHO_ALERTS__URL": "https://alerts.example.com/in"}
    with pytest.raises(SettingsError, match="SEKISHO_ALERTS__SECRET"):
        load("serve", environ, tmp_path)
    with pytest.raises(SettingsError, match="SEKISHO_ALERTS__SECRET"):
        load("serve", {**environ, "SEKISHO_ALERTS__SECRET": "short"}, tmp_path)
    assert load("serve", {**environ, "SEKISHO_ALERTS__SECRET": OTHER_SECRET}, tmp_path).alerts.least == "warning"
