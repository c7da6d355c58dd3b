-- Lends permits of shared buckets.
--
-- KEYS: what nodes have heard, the low buckets by the time at which that was told, the same by the
-- time until which they are low, and the buckets. ARGV: the node's id, how many nodes there are, then
-- for each bucket six numbers: permits given back, permits owed, permits wanted, microseconds per
-- permit, the bucket's size, and how much may be owed.
-- Returns four numbers for each bucket: permits lent; permits left, below zero if there are debts;
-- microseconds until there is one, below zero if that is not sure; microseconds for which it is low.
-- None left and no time until there is one: what there is, is kept for a moment.
--
-- A bucket is kept as the moment at which it will be full again, in microseconds of this server's
-- clock since 2026; one that is full is not kept. Behind it stand the node that asked last, when it
-- did, when last another one did, since when the bucket is low, and until when it was told to be.
--
-- A bucket is low when half of it is gone. A node that has not heard of that may let some requests
-- through on credit (Lease), a quarter of a bucket by all nodes together. So each node's part of that
-- quarter is not lent before it has heard. Nor is it shown: nodes that have heard would use it up on
-- their small credit. Buckets that are too small for a quarter to be shared have none.
--
-- A node relies for a while on what it has heard (LowBuckets). So that a bucket is low is told again
-- while it still is, and is taken for untold when the time told is nearly over.

local time = redis.call('TIME')
local now = (time[1] - 1767225600) * 1000000 + time[2]
local hearing = redis.call('ZCARD', KEYS[1])
-- A node may not have counted those that have just come.
local node, nodes = ARGV[1], math.max(tonumber(ARGV[2]), hearing)
local reliedOn = 300000
local answers = {}

for i = 1, #KEYS - 3 do
  local key = KEYS[i + 3]
  local at = 6 * i - 3
  local give, owed, want = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local cost, size, debt = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), math.max(tonumber(ARGV[at + 5]), hearing)

  local full, othersAt, lowSince, lowUntil = now, 0, 0, 0
  -- What is no text of ours, somebody else has put there.
  local kept = redis.pcall('GET', key)
  if type(kept) == 'string' then
    local keptFull, asker, askedAt, keptOthersAt, keptSince, keptUntil =
      string.match(kept, '^(-?[%d.]+) (%S+) (-?%d+) (-?%d+) (-?%d+) (-?%d+)$')
    if keptFull then
      full = tonumber(keptFull) or now
      othersAt = math.min(now, tonumber(asker == node and keptOthersAt or askedAt))
      lowSince, lowUntil = math.min(now, tonumber(keptSince)), tonumber(keptUntil)
    end
  end

  -- Debts beyond what nodes may owe are of a time in which they could not ask, and are let off; so is
  -- time by which this server's clock has gone back.
  full = math.max(now, full)
  full = full + (owed - give) * cost
  full = math.max(now, math.min(full, now + (size + debt) * cost))

  local left = (now - full) / cost + size
  local told = lowUntil - now >= reliedOn
  local reserve = size >= 8 and size / 4 or 0
  if told and hearing > 0 then
    -- Who has heard until later than now, has done so before this server's clock went back.
    local heard = redis.call('ZCOUNT', KEYS[1], '(' .. string.format('%.0f', lowSince),
      string.format('%.0f', now))
    reserve = reserve * (hearing - heard) / hearing
  end
  local share = math.floor(left - reserve + 0.000001)
  if now - othersAt < 2000000 then
    share = math.max(math.min(share, 1), math.floor(share / nodes))
  end
  local lent = math.max(0, math.min(want, share))
  full = full + lent * cost
  left = left - lent

  if left >= size / 2 then
    lowSince, lowUntil = 0, 0
  else
    if not told then
      lowSince = now
    end
    local half = now + (size / 2 - left) * cost
    -- A little more, so that it need not be told again with every permit.
    local margin = math.max(2 * reliedOn, math.min(4000000, size * cost), size / 16 * cost)
    if not told or half + reliedOn > lowUntil or lowUntil - now < math.min(margin / 2, 2000000) then
      lowUntil = math.ceil(half + margin)
      redis.call('ZADD', KEYS[2], now, key)
      redis.call('ZADD', KEYS[3], lowUntil, key)
      -- In case that no node is left to clear them.
      redis.call('EXPIRE', KEYS[2], 60)
      redis.call('EXPIRE', KEYS[3], 864000)
    end
  end

  if full > now then
    redis.call('SET', key,
      string.format('%.3f %s %.0f %.0f %.0f %.0f', full, node, now, othersAt, lowSince, lowUntil),
      'PX', math.ceil((full - now) / 1000))
  else
    redis.call('DEL', key)
  end

  local whole = math.floor(left + 0.000001)
  local toOne = whole > 0 and 0 or math.ceil((1 - left) * cost)
  if whole > 0 and left < size / 2 and left - reserve < 0.999999 then
    whole = 0
  elseif reserve > 0 then
    -- Nodes that have not heard may let some more through.
    toOne = -toOne
  end
  answers[4 * i - 3] = lent
  answers[4 * i - 2] = whole
  answers[4 * i - 1] = toOne
  answers[4 * i] = math.max(0, lowUntil - now)
end

return answers
