"""Which buckets a try counts against. Names carry the rows of the security checklist."""

from __future__ import annotations

import pytest

from sekisho.errors import RateLimitExceeded
from sekisho.identifiers import parse_client_id
from sekisho.master_secret import MasterSecret
from sekisho.model import Origin
from sekisho.ports.changes import ConsumeCode, CountTry, GiveBackTry
from sekisho.ports.storage import Lost, Outcome
from sekisho.throttle import Limits, Throttle, network, refuse_if_throttled

NOW = 1_700_000_000_000
MINUTE, DAY = 60_000, 86_400_000
THROTTLE = Throttle(MasterSecret(b"m" * 32))
COOKIE = Origin(ip="192.0.2.1", device_token="cookie-value-of-this-browser")
WEB, PHONE = parse_client_id("web"), parse_client_id("web:6f1c0a52b8e94d7f")


def rules(tries: tuple[CountTry, ...]) -> list[tuple[int, int, int, int]]:
    return [(each.limit, each.window_ms, each.first_delay_ms, each.max_delay_ms) for each in tries]


def login(email: str = "a@example.com", ip: str = "192.0.2.1", *, known: bool = False) -> tuple[CountTry, ...]:
    return THROTTLE.login_tries(email, ip, NOW, known_device=known)


@pytest.mark.parametrize(
    ("ip", "sender"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", ""),
        ("192.0.2.1:443", ""),
    ],
)
def test_a_network_is_an_ipv4_address_or_an_ipv6_64(ip: str, sender: str) -> None:
    assert network(ip) == sender


def test_V6_1_1_login_counts_by_identifier_and_network_by_network_and_by_identifier() -> None:
    assert rules(login()) == [
        (5, 5 * MINUTE, 0, 0),
        (50, 5 * MINUTE, 0, 0),
        (20, DAY, 30_000, 60 * MINUTE),
    ]
    assert all(each.now == NOW for each in login())


def test_V6_1_1_a_known_device_is_spared_the_delay_that_strangers_cause_and_nothing_else() -> None:
    assert login(known=True) == login()[:2]


def test_a_password_asked_for_again_counts_by_account_and_network_and_by_account_alone() -> None:
    here = THROTTLE.password_tries("account", "192.0.2.1", NOW)
    elsewhere = THROTTLE.password_tries("account", "192.0.2.2", NOW)
    assert rules(here) == [(5, 5 * MINUTE, 0, 0), (20, DAY, 30_000, 60 * MINUTE)]
    assert [a.key == b.key for a, b in zip(here, elsewhere, strict=True)] == [False, True]


def test_login_buckets_are_shared_exactly_where_they_should_be() -> None:
    here, mapped = login(), login(ip="::ffff:192.0.2.1")
    elsewhere, somebody = login(ip="192.0.2.2"), login("b@example.com")
    assert here == mapped
    assert [a.key == b.key for a, b in zip(here, elsewhere, strict=True)] == [False, False, True]
    assert [a.key == b.key for a, b in zip(here, somebody, strict=True)] == [False, True, False]


def test_code_sends_count_by_address_twice_and_by_network() -> None:
    tries = THROTTLE.code_sends("a@example.com", "192.0.2.1", NOW)
    assert rules(tries) == [(3, 5 * MINUTE, 0, 0), (10, DAY, 0, 0), (20, 5 * MINUTE, 0, 0)]


def test_mails_of_the_second_step_count_by_account_apart_from_those_of_strangers_and_by_network_with_them() -> None:
    own, anybodys = THROTTLE.factor_mails("a", "192.0.2.1", NOW), THROTTLE.code_sends("a", "192.0.2.1", NOW)
    assert rules(own) == rules(anybodys)
    assert [a.key == b.key for a, b in zip(own, anybodys, strict=True)] == [False, False, True]


def test_wrong_codes_count_by_address_over_all_codes_and_by_network_over_all_addresses() -> None:
    tries = THROTTLE.code_tries("a@example.com", "192.0.2.1", NOW)
    assert rules(tries) == [(20, DAY, 0, 0), (50, 5 * MINUTE, 0, 0)]
    other = THROTTLE.code_tries("b@example.com", "192.0.2.1", NOW)
    assert [a.key == b.key for a, b in zip(tries, other, strict=True)] == [False, True]


def test_no_two_rules_share_a_bucket() -> None:
    same = "192.0.2.1"
    tries = (
        *THROTTLE.login_tries(same, same, NOW, known_device=False),
        *THROTTLE.password_tries(same, same, NOW),
        *THROTTLE.code_sends(same, same, NOW),
        *THROTTLE.code_tries(same, same, NOW),
        *THROTTLE.factor_mails(same, same, NOW)[:2],
    )
    assert len({each.key for each in tries}) == len(tries) == 12


def test_buckets_and_tags_name_nobody_and_need_the_master_secret() -> None:
    other = Throttle(MasterSecret(b"n" * 32))
    assert login()[0].key != other.login_tries("a@example.com", "192.0.2.1", NOW, known_device=False)[0].key
    assert THROTTLE.identifier_tag("a@example.com") != other.identifier_tag("a@example.com")
    assert "example" not in THROTTLE.identifier_tag("a@example.com")
    assert len(login()[0].key) == 32


def test_what_was_counted_is_what_is_given_back() -> None:
    tries = login()
    expected = tuple(GiveBackTry(key=each.key, now=NOW + 1, coarse=each.coarse) for each in tries)
    assert THROTTLE.give_back(tries, NOW + 1) == expected


def test_only_what_counts_a_whole_network_may_be_counted_outside_of_sql() -> None:
    """A wipe of Redis must not buy guesses against an account."""
    assert [each.coarse for each in login()] == [False, True, False]
    assert [each.coarse for each in THROTTLE.code_tries("a@example.com", "203.0.113.7", NOW)] == [False, True]
    assert [each.coarse for each in THROTTLE.code_sends("a@example.com", "203.0.113.7", NOW)] == [False, False, True]
    assert not any(each.coarse for each in THROTTLE.password_tries("account", "203.0.113.7", NOW))


@pytest.mark.parametrize(("wait_ms", "seconds"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (299_999, 300), (-5000, 1)])
def test_a_throttled_call_says_how_many_whole_seconds_to_wait(wait_ms: int, seconds: int) -> None:
    with pytest.raises(RateLimitExceeded) as refused:
        refuse_if_throttled(Outcome(lost=Lost(login()[0], "throttled", NOW + wait_ms)), NOW)
    assert refused.value.retry_after == seconds


def test_other_outcomes_are_left_to_the_flow() -> None:
    refuse_if_throttled(Outcome(results=(1,)), NOW)
    other = ConsumeCode(id="i", purpose="sign_up", code_hash=b"", now=NOW)
    refuse_if_throttled(Outcome(lost=Lost(other, "code_gone")), NOW)


def test_a_device_is_remembered_by_its_cookie_and_by_a_long_device_part() -> None:
    both = THROTTLE.remember_devices("a@example.com", COOKIE, PHONE, NOW)
    assert len({each.device_tag for each in both}) == 2
    assert {each.identifier_tag for each in both} == {THROTTLE.identifier_tag("a@example.com")}
    assert THROTTLE.remember_devices("a@example.com", COOKIE, WEB, NOW) == both[:1]
    assert THROTTLE.remember_devices("a@example.com", Origin(), PHONE, NOW) == both[1:]


def test_a_constant_device_part_or_no_device_makes_nobody_known() -> None:
    assert THROTTLE.remember_devices("a@example.com", Origin(), WEB, NOW) == ()
    assert THROTTLE.remember_devices("a@example.com", Origin(), parse_client_id("app:ios"), NOW) == ()


def test_one_kind_of_device_name_cannot_stand_for_the_other() -> None:
    cookie = THROTTLE.remember_devices("a@example.com", Origin(device_token=PHONE.device), WEB, NOW)
    part = THROTTLE.remember_devices("a@example.com", Origin(), PHONE, NOW)
    assert cookie[0].device_tag != part[0].device_tag


def test_there_is_no_limit_of_none() -> None:
    for name in Limits.__struct_fields__:
        for number in (0, -1):
            with pytest.raises(ValueError, match=name):
                Limits(**{name: number})
    with pytest.raises(ValueError, match="login_first_delay_seconds"):
        Limits(login_first_delay_seconds=61, login_max_delay_seconds=60)


def test_limits_are_those_that_were_set() -> None:
    strict = Throttle(MasterSecret(b"m" * 32), Limits(login_failures_per_network=7, login_window_seconds=60))
    assert rules(strict.login_tries("a@example.com", "", NOW, known_device=True)) == [
        (5, MINUTE, 0, 0),
        (7, MINUTE, 0, 0),
    ]
