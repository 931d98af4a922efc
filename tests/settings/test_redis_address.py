"""The three forms of `SEKISHO_REDIS_URL`, and the names that come in parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.settings import Settings, SettingsError, load
from sekisho.settings.redis_address import NotARedisUrl, RedisAddress, parse_redis_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", RedisAddress(kind="single", nodes=(("cache", 6379),))),
        (
            "rediss://me:p%40ss@cache:7000/3?ca=/etc/ca.pem",
            RedisAddress(
                kind="single",
                nodes=(("cache", 7000),),
                user="me",
                password="p@ss",
                database=3,
                is_encrypted=True,
                authority_file="/etc/ca.pem",
            ),
        ),
        ("redis://:pw@[::1]:7000", RedisAddress(kind="single", nodes=(("::1", 7000),), password="pw")),
        (
            "redis+sentinel://a,b:7001/main/2?sentinel_password=s",
            RedisAddress(
                kind="sentinel",
                nodes=(("a", 26379), ("b", 7001)),
                primary="main",
                database=2,
                sentinel_password="s",
            ),
        ),
        ("rediss+cluster://a,b:7", RedisAddress(kind="cluster", nodes=(("a", 6379), ("b", 7)), is_encrypted=True)),
    ],
)
def test_a_url_says_where_redis_is(url: str, expected: RedisAddress) -> None:
    assert parse_redis_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "http://cache",
        "redis://",
        "redis://cache:0",
        "redis://cache:70000",
        "redis://cache:x",
        "redis://a,b",
        "redis://cache/main",
        "redis://cache/1/2",
        "redis://cache?db=1",
        "redis://cache#1",
        "redis+sentinel://a,b",
        "redis+sentinel://a//main/x",
        "redis+cluster://a/1",
        "redis+ring://a",
    ],
)
def test_what_is_none_of_the_forms_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(NotARedisUrl) as refused:
        parse_redis_url(url)
    assert url == "" or url not in str(refused.value)


def dev(tmp_path: Path, **environ: str) -> Settings:
    return load("dev", environ, tmp_path)


def test_host_port_and_password_may_come_in_parts(tmp_path: Path) -> None:
    found = dev(tmp_path, REDIS_HOST="cache", REDIS_PORT="7000", REDIS_PASSWORD="pw").redis_address
    assert found == RedisAddress(kind="single", nodes=(("cache", 7000),), password="pw")
    assert dev(tmp_path).redis_address is None


@pytest.mark.parametrize(
    ("environ", "variable", "words"),
    [
        ({"SEKISHO_REDIS_URL": "redis://:geheim@"}, "SEKISHO_REDIS_URL", "must be redis://"),
        ({"SEKISHO_REDIS_URL": "redis://a", "REDIS_HOST": "b"}, "REDIS_HOST", "keep one of the two"),
        ({"SEKISHO_REDIS__SESSIONS": "true"}, "SEKISHO_REDIS_URL", "is missing"),
        ({"REDIS_PASSWORD": "pw"}, "SEKISHO_REDIS__HOST", "is missing"),
    ],
)
def test_each_mistake_names_its_variable(tmp_path: Path, environ: dict[str, str], variable: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        dev(tmp_path, **environ)
    (mistake,) = refused.value.mistakes
    assert mistake.variable == variable
    assert words in mistake.en
    assert mistake.ja
    assert "geheim" not in refused.value.render("en")
