"""What the password hash alone allows: verify one password over and over on one core.

    python -m bench.hash_alone SECONDS

Prints verifications a second. One thread at the priority of the server's hash threads.
"""

from __future__ import annotations

import os
import sys
import time

from bench.site import HASH_PROFILE, PASSWORD
from sekisho.passwords.encoded import make_hash, matches
from sekisho.passwords.parameters import PROFILES

NICENESS = 10


def main() -> None:
    os.nice(NICENESS)
    secret = PASSWORD.encode()
    encoded = make_hash(secret, PROFILES[HASH_PROFILE])
    count, begun = 0, time.monotonic()
    while (elapsed := time.monotonic() - begun) < float(sys.argv[1]):
        matches(secret, encoded)
        count += 1
    sys.stdout.write(f"{count / elapsed}\n")


if __name__ == "__main__":
    main()
