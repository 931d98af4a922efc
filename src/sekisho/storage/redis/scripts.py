"""The Lua texts. A script runs alone on its server: what it reads stays true until it returns.

Keys of a session: its record, its fence, its ticket. A fence says that SQL decides: `writing` while the newest counter
is on its way there, then `sql`. A ticket is what a record may be loaded with: whoever fences takes it away, so that
a row that was read before a change is never put in after it.

Numbers stay text wherever they are stored: Lua would write a time of today as 1.8e+12.
"""

from __future__ import annotations

from typing import NamedTuple


class Script(NamedTuple):
    """A text, and how many keys it takes. A server names it when it is loaded."""

    text: str
    keys: int


_FENCED_OR_UNKNOWN = """
local fence = redis.call('GET', KEYS[2])
if fence then return {fence} end
local now, idle_until, aal2_idle_until, ip, ticket, ticket_ms, spare_ms = unpack(ARGV, 1, 7)
local seen = redis.call('HMGET', KEYS[1], 'counter', 'rotated_at', 'last_seen_at', 'idle_expires_at', 'ip', 'fresh',
    'blob', 'secret_hash', 'client_id', 'app', 'transport', 'expires_at', 'acr')
if not seen[1] then
    if not redis.call('SET', KEYS[3], ticket, 'NX', 'PX', ticket_ms) then ticket = redis.call('GET', KEYS[3]) end
    return {'unknown', ticket}
end
local function is_alive() return tonumber(seen[4]) > tonumber(now) and tonumber(seen[12]) > tonumber(now) end
local function used(counter, rotated_at)
    local rest_until = seen[13] == 'aal2' and aal2_idle_until or idle_until
    local idle = tonumber(rest_until) < tonumber(seen[12]) and rest_until or seen[12]
    redis.call('HSET', KEYS[1], 'counter', counter, 'rotated_at', rotated_at, 'last_seen_at', now,
        'idle_expires_at', idle, 'ip', ip, 'fresh', '0')
    redis.call('PEXPIRE', KEYS[1], math.max(tonumber(idle) - tonumber(now), 0) + tonumber(spare_ms))
end
"""

# Moves the record only where nothing can be doubtful; `judged` is the counter of a record for which the table of
# verdicts has said that it rotates. Everything else is for the table to say, from the record that is returned.
ROTATE = Script(
    _FENCED_OR_UNKNOWN
    + """
local secret_hash, counter, next_counter, client_id, app, judged = unpack(ARGV, 8, 13)
local moves
if judged ~= '' then
    moves = seen[1] == judged
else
    moves = seen[8] == secret_hash and seen[1] == counter and is_alive()
        and (seen[9] == client_id or (seen[11] ~= 'body' and seen[10] == app))
end
if moves then used(next_counter, now) end
return {'seen', moves and 1 or 0, unpack(seen, 1, 7)}
""",
    3,
)

TOUCH = Script(
    _FENCED_OR_UNKNOWN
    + """
local moves = is_alive()
if moves then used(seen[1], seen[2]) end
return {'seen', moves and 1 or 0, unpack(seen, 1, 7)}
""",
    3,
)

LOAD = Script(
    """
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
""",
    3,
)

# Answers with what must be saved to SQL before the record can go; asked again with the mark of what was saved, it goes.
FENCE = Script(
    """
local fence_ms, saved = ARGV[1], ARGV[2]
redis.call('DEL', KEYS[3])
local seen = redis.call('HMGET', KEYS[1], 'counter', 'rotated_at', 'last_seen_at', 'idle_expires_at', 'ip', 'fresh')
if not seen[1] or seen[6] == '1' or saved == '*' or saved == seen[1] .. ':' .. seen[3] then
    redis.call('DEL', KEYS[1])
    redis.call('SET', KEYS[2], 'sql', 'PX', fence_ms)
    return false
end
redis.call('SET', KEYS[2], 'writing', 'PX', fence_ms)
return {unpack(seen, 1, 5)}
""",
    3,
)

LOOK = Script(
    "return redis.call('HMGET', KEYS[1], 'counter', 'rotated_at', 'last_seen_at', 'idle_expires_at', 'ip')",
    1,
)

# `storage.changes.limits` in Lua: the same sentences of `CountTry`. Answers '' if the try passes, else when one may.
COUNT = Script(
    """
local now, window_ms, limit, first_ms, longest_ms, skew_ms = unpack(ARGV)
now, window_ms, limit = tonumber(now), tonumber(window_ms), tonumber(limit)
first_ms, longest_ms, skew_ms = tonumber(first_ms), tonumber(longest_ms), tonumber(skew_ms)
local function text(number) return string.format('%.0f', number) end
local seen = redis.call('HMGET', KEYS[1], 'tries', 'last_at', 'window_ends_at')
local tries, last_at, ends_at = tonumber(seen[1] or 0), tonumber(seen[2] or 0), tonumber(seen[3] or 0)
if ends_at <= now or ends_at > now + window_ms + skew_ms then
    redis.call('HSET', KEYS[1], 'tries', '1', 'prior_at', '0', 'last_at', text(now),
        'window_ends_at', text(now + window_ms))
    redis.call('PEXPIRE', KEYS[1], text(window_ms + skew_ms))
    return ''
end
local delay_ms = math.min(first_ms * 2 ^ math.max(tries - limit, 0), longest_ms)
if tries < limit or (first_ms > 0 and (last_at > now + skew_ms or last_at <= now - delay_ms)) then
    redis.call('HSET', KEYS[1], 'tries', text(tries + 1), 'prior_at', text(last_at), 'last_at', text(now))
    return ''
end
if first_ms == 0 then return text(ends_at) end
return text(math.min(last_at + delay_ms, ends_at))
""",
    1,
)

GIVE_BACK = Script(
    """
local seen = redis.call('HMGET', KEYS[1], 'tries', 'prior_at', 'window_ends_at')
if seen[1] and tonumber(seen[1]) > 0 and tonumber(seen[3]) > tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'tries', string.format('%.0f', tonumber(seen[1]) - 1), 'last_at', seen[2])
end
return ''
""",
    1,
)

ALL = (ROTATE, TOUCH, LOAD, FENCE, LOOK, COUNT, GIVE_BACK)
