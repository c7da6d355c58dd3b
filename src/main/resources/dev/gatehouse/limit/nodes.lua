-- Counts the nodes that share limits.
--
-- KEYS: where they are kept. ARGV: this node's id, and how many seconds a node counts from here on; 0
-- takes it out. Returns how many there are.

local now = tonumber(redis.call('TIME')[1])
local node, seconds = ARGV[1], tonumber(ARGV[2])
if seconds > 0 then
  redis.call('ZADD', KEYS[1], now + seconds, node)
  redis.call('EXPIRE', KEYS[1], seconds + 1)
else
  redis.call('ZREM', KEYS[1], node)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZCARD', KEYS[1])
