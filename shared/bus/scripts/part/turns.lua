-- Weighted turns. A ring is a sorted set of those who wait, by turn: the one with the lowest is served and moves on by
-- STRIDE / weight, so that over any stretch each is served as often as its weight says. Whoever comes in takes part from
-- the present turn on: waiting elsewhere saves nothing up, and nobody waits for a round that is under way.
-- STRIDE is divisible by all weights, 1 to 16; turns stay whole numbers.
local STRIDE = 720720

-- Lets one in who does not take turns yet. `state` holds the present turn, and weights other than 1.
local function enter(ring, state, flow, weight)
  if not redis.call('ZSCORE', ring, flow) then
    redis.call('ZADD', ring, redis.call('HGET', state, 'turn') or 0, flow)
  end
  if weight ~= '1' then
    redis.call('HSET', state, 'w:' .. flow, weight)
  else
    redis.call('HDEL', state, 'w:' .. flow)
  end
end

-- Whose turn it is, and which; nil when nobody waits.
local function first(ring)
  local found = redis.call('ZRANGE', ring, 0, 0, 'WITHSCORES')
  return found[1], tonumber(found[2])
end

-- Notes that a flow was served at `turn`.
local function served(ring, state, flow, turn)
  redis.call('HSET', state, 'turn', turn)
  redis.call('ZADD', ring, turn + STRIDE / (redis.call('HGET', state, 'w:' .. flow) or 1), flow)
end

-- Takes one out who waits for nothing any more.
local function leave(ring, state, flow)
  redis.call('ZREM', ring, flow)
  redis.call('HDEL', state, 'w:' .. flow)
end
