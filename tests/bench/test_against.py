"""The comparison of two versions: what pairs of neighbours say, and how surely."""

from __future__ import annotations

from bench.against import compare


def test_a_change_that_every_pair_shows_is_told_from_the_noise_that_both_share() -> None:
    noise = [100.0, 300.0, 110.0, 250.0, 90.0, 140.0, 100.0, 400.0]
    found = compare([(1.1 * then, then) for then in noise])
    assert round(found.ratio, 9) == round(found.low, 9) == round(found.high, 9) == 1.1


def test_pairs_that_disagree_show_no_difference() -> None:
    found = compare([(100.0, 110.0), (110.0, 100.0)] * 8)
    assert found.low < 1 < found.high


def test_one_pair_that_a_stranger_disturbed_does_not_count() -> None:
    assert compare([(100.0, 100.0)] * 9 + [(900.0, 100.0)]).ratio == 1.0


def test_the_same_pairs_always_say_the_same() -> None:
    pairs = [(100.0 + number, 103.0 - number) for number in range(9)]
    assert compare(pairs) == compare(pairs)
