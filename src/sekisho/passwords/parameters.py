"""What a password hash costs: named profiles, and the floors below which nothing may be set.

Spec: ASVS 11.4.2 and appendix C; RFC 9106.
"""

from __future__ import annotations

from msgspec import Struct

_BCRYPT_FLOOR_ROUNDS = 10

# Nobody may make a single verification cost more than this, not even by an imported hash.
MAX_MEMORY_KIB = 1024 * 1024
MAX_PASSES = 32
MAX_LANES = 16
# Time goes with memory and passes together: this is about seven seconds of one core.
MAX_FILLED_KIB = 4 * MAX_MEMORY_KIB
MIN_BCRYPT_ROUNDS = 4
MAX_BCRYPT_ROUNDS = 16


class Argon2(Struct, frozen=True):
    """argon2id. Memory in KiB, shared by `lanes`; `passes` over it.

    Raises:
        ValueError: weaker than the floors (1 pass 46 MiB, 2 passes 19 MiB, 3 or more 12 MiB), or
            beyond what one request may cost.
    """

    memory_kib: int
    passes: int
    lanes: int = 1

    def __post_init__(self) -> None:
        if self.passes < 1 or self.lanes < 1:
            raise ValueError("argon2id needs at least one pass and one lane")
        if self.passes > MAX_PASSES or self.lanes > MAX_LANES or self.memory_kib > MAX_MEMORY_KIB:
            raise ValueError(f"argon2id: at most {MAX_PASSES} passes, {MAX_LANES} lanes, {MAX_MEMORY_KIB} KiB")
        if self.memory_kib * self.passes > MAX_FILLED_KIB:
            raise ValueError(f"argon2id: memory times passes is at most {MAX_FILLED_KIB} KiB")
        floor_kib = {1: 46 * 1024, 2: 19 * 1024}.get(self.passes, 12 * 1024)
        if self.memory_kib < floor_kib:
            raise ValueError(
                f"argon2id with {self.passes} passes needs at least {floor_kib} KiB, not {self.memory_kib}"
            )


class Bcrypt(Struct, frozen=True):
    """bcrypt, which sees 72 bytes only: longer passwords are refused when they are set.

    Raises:
        ValueError: rounds outside 10 to 16.
    """

    rounds: int = 12

    def __post_init__(self) -> None:
        if not _BCRYPT_FLOOR_ROUNDS <= self.rounds <= MAX_BCRYPT_ROUNDS:
            raise ValueError(f"bcrypt rounds must be {_BCRYPT_FLOOR_ROUNDS} to {MAX_BCRYPT_ROUNDS}, not {self.rounds}")


Parameters = Argon2 | Bcrypt

PROFILES: dict[str, Parameters] = {
    "standard": Argon2(memory_kib=19 * 1024, passes=2),
    "low_memory": Argon2(memory_kib=12 * 1024, passes=3),
    "one_pass": Argon2(memory_kib=46 * 1024, passes=1),
    "strong": Argon2(memory_kib=64 * 1024, passes=3),
    "bcrypt": Bcrypt(),
}
