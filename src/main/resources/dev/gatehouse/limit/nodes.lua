-- Counts the nodes that share limits, and tells a node which buckets are low.
--
-- KEYS: the nodes with the time until which each counts, up to when each has heard, the low buckets by
-- the time at which that was told, and by the time until which they are low. ARGV: this node's id; for
-- how many seconds it counts, 0 to take it out; up to when it has heard; "news" for what was told from a
-- time on, or "list" for what is low until a time or longer; that time; how many buckets at most.
-- Returns how many nodes there are; this server's time; where to go on, 0 if that is all, -1 if the news
-- do not go back so far; then name by name those buckets, each with the microseconds for which it is low.
-- Times are in microseconds since 2026.

local time = redis.call('TIME')
local now = (time[1] - 1767225600) * 1000000 + time[2]
local node, seconds = ARGV[1], tonumber(ARGV[2])
local heard, order, from, most = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
-- Half of it is more than the 100 pages of the longest list (LowBuckets) take, 50 ms from here.
local kept = 20000000

if seconds > 0 then
  redis.call('ZADD', KEYS[1], now + seconds * 1000000, node)
  redis.call('ZADD', KEYS[2], heard, node)
else
  redis.call('ZREM', KEYS[1], node)
  redis.call('ZREM', KEYS[2], node)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - kept)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '(' .. string.format('%.0f', now), '+inf')
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if seconds == 0 then
  return {redis.call('ZCARD', KEYS[1]), now, 0}
end
-- Nobody is left to do it when the last node has gone.
redis.call('PEXPIRE', KEYS[1], seconds * 1000 + 1000)
redis.call('PEXPIRE', KEYS[2], seconds * 1000 + 1000)

if order == 'news' and (from > now or from < now - kept / 2) then
  return {redis.call('ZCARD', KEYS[1]), now, -1}
end
local ordered = order == 'news' and KEYS[3] or KEYS[4]
local low = redis.call('ZRANGEBYSCORE', ordered, from, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
local answer = {redis.call('ZCARD', KEYS[1]), now, 0}
for i = 1, #low, 2 do
  local lowUntil = order == 'news' and redis.call('ZSCORE', KEYS[4], low[i]) or low[i + 1]
  answer[i + 3] = low[i]
  answer[i + 4] = math.max(0, tonumber(lowUntil or 0) - now)
end
if #low == 2 * most then
  answer[3] = tonumber(low[#low])
end
return answer
