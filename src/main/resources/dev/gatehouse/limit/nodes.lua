-- Counts the nodes that share limits, and tells a node which buckets have become low.
--
-- KEYS: the nodes with the time until which each counts, what each has seen, the low buckets by the
-- time at which that was told, and by the time until which they are low. ARGV: this node's id; for how
-- many seconds it counts, 0 to take it out; up to when it has seen what was told; from when on it wants
-- to be told, 0 for everything that is low; how many at most.
-- Returns how many nodes there are, this server's time, 1 if there are more low buckets than it wants
-- to be told of, else 0; then name by name those buckets, each with the microseconds for which it is low.
-- Times are in microseconds since 2026.

local time = redis.call('TIME')
local now = (time[1] - 1767225600) * 1000000 + time[2]
local node, seconds = ARGV[1], tonumber(ARGV[2])
local seen, since, most = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

if seconds > 0 then
  redis.call('ZADD', KEYS[1], now + seconds * 1000000, node)
  redis.call('ZADD', KEYS[2], seen, node)
else
  redis.call('ZREM', KEYS[1], node)
  redis.call('ZREM', KEYS[2], node)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 10000000)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if seconds > 0 then
  -- Nobody is left to do it when the last node has gone.
  redis.call('PEXPIRE', KEYS[1], seconds * 1000 + 1000)
  redis.call('PEXPIRE', KEYS[2], seconds * 1000 + 1000)
end

local low
if since > 0 then
  low = redis.call('ZRANGEBYSCORE', KEYS[3], since, '+inf', 'LIMIT', 0, most + 1)
else
  low = redis.call('ZRANGEBYSCORE', KEYS[4], now, '+inf', 'LIMIT', 0, most + 1)
end
local answer = {redis.call('ZCARD', KEYS[1]), now, #low > most and 1 or 0}
for i = 1, math.min(#low, most) do
  answer[2 * i + 2] = low[i]
  answer[2 * i + 3] = math.max(0, (redis.call('ZSCORE', KEYS[4], low[i]) or 0) - now)
end
return answer
