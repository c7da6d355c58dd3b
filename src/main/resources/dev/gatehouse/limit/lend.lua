-- Lends permits of shared buckets, all at once or none.
--
-- KEYS: the buckets. ARGV: the node's id, how many nodes there are, then for each bucket five numbers:
-- permits given back, permits owed, permits wanted, microseconds per permit, the bucket's size.
-- Returns three numbers for each bucket: permits lent, permits left (below zero: owed), microseconds
-- until there is one.
--
-- A bucket is kept as the moment at which it will be full again, in microseconds of this server's
-- clock since 2026; one that is full is not kept. Behind it stand the node that asked last and the
-- moment at which last another one did.

local time = redis.call('TIME')
local now = (time[1] - 1767225600) * 1000000 + time[2]
local node, nodes = ARGV[1], tonumber(ARGV[2])
local answers = {}

for i, key in ipairs(KEYS) do
  local at = 5 * i - 3
  local give, owed, want = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local cost, size = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])

  local full, asker, othersAt = now, node, -math.huge
  -- What is no text of ours, somebody else has put there.
  local kept = redis.pcall('GET', key)
  if type(kept) == 'string' then
    local keptFull, keptAsker, keptOthersAt = string.match(kept, '^(%S+) (%S+) (%S+)$')
    if keptFull then
      full, asker, othersAt = tonumber(keptFull), keptAsker, tonumber(keptOthersAt)
    end
  end
  if asker ~= node then
    othersAt = now
  end

  -- Debts beyond what nodes may owe are of a time in which they could not ask, and are let off; so
  -- is time that this server's clock has gone back.
  local debt = math.max(nodes, size / 20)
  full = math.max(now, full)
  full = full + (owed - give) * cost
  full = math.max(now, math.min(full, now + (size + debt) * cost))

  local left = (now - full) / cost + size
  local share = math.floor(left + 0.000001)
  if now - othersAt < 2000000 then
    share = math.max(math.min(share, 1), math.floor(share / nodes))
  end
  local lent = math.max(0, math.min(want, share))
  full = full + lent * cost
  left = left - lent

  if full > now then
    redis.call('SET', key, string.format('%.3f %s %.0f', full, node, math.max(othersAt, 0)),
      'PX', math.ceil((full - now) / 1000))
  else
    redis.call('DEL', key)
  end

  local whole = math.floor(left + 0.000001)
  answers[3 * i - 2] = lent
  answers[3 * i - 1] = whole
  answers[3 * i] = whole > 0 and 0 or math.ceil((1 - left) * cost)
end

return answers
