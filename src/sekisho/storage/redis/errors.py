"""Why Redis cannot be used as it is. Each message says what to do: it is printed to an operator as it stands."""

from __future__ import annotations

from sekisho.storage.errors import StoreCannotOpen


class RedisCannotBeUsed(StoreCannotOpen):
    """One of the kinds below. `path` is the address of the server, `found` what was seen there."""

    text = "{path}: {found}"

    def __init__(self, path: str, found: str) -> None:
        super().__init__(self.text.format(path=path, found=found))
        self.path = path
        self.found = found


class RedisNotThere(RedisCannotBeUsed):
    text = (
        "No Redis answers at {path} ({found}). Start it, correct SEKISHO_REDIS_URL, or remove the variable to do "
        "without Redis."
    )


class RedisRefusesUs(RedisCannotBeUsed):
    text = (
        "Redis at {path} refuses the credentials ({found}). Correct user and password in SEKISHO_REDIS_URL "
        "(or REDIS_PASSWORD)."
    )


class RedisNotTrusted(RedisCannotBeUsed):
    text = (
        "Redis at {path} cannot be trusted ({found}). In SEKISHO_REDIS_URL `?ca=` must name the file with the "
        "authority of its certificate, and the host must be a name in that certificate."
    )


class RedisTooOld(RedisCannotBeUsed):
    text = (
        "Redis at {path} is version {found}; 6.2 is the oldest that works (any Valkey does). Upgrade it, or point "
        "SEKISHO_REDIS_URL to a newer one."
    )


class RedisNotAMaster(RedisCannotBeUsed):
    text = (
        "Redis at {path} cannot be written to: its role is {found}. Point SEKISHO_REDIS_URL to the primary, or use "
        "redis+sentinel:// so that it is found."
    )


class RedisIsACluster(RedisCannotBeUsed):
    text = (
        "Redis at {path} is {found}, which SEKISHO_REDIS_URL does not say: redis+cluster:// is for Redis Cluster, "
        "redis:// and redis+sentinel:// for everything else."
    )


class RedisEvicts(RedisCannotBeUsed):
    text = (
        "Redis at {path} may drop sessions: its maxmemory-policy is {found}. Set `maxmemory-policy noeviction` in its "
        "configuration, or set SEKISHO_REDIS__SESSIONS=false."
    )


class RedisNotDurable(RedisCannotBeUsed):
    text = (
        "Redis at {path} keeps no append-only file, so that its restart forgets rotations (appendonly is {found}). Set "
        "`appendonly yes` in its configuration, or set SEKISHO_REDIS__SESSIONS=false."
    )
