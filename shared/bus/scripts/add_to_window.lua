-- Adds one contribution to a window, once whatever happens, and closes the window when it is full or over.
-- KEYS: 1 values of the open window (list), 2 its state (hash), 3 who contributed (sorted set by time, ms),
--       4 the window that this contributor closed (list)
-- ARGV: 1 contributor, 2 its time, ms, 3 contributions that fill a window, or 0, 4 length of a window, ms, or 0,
--       5 most bytes of a window, 6 how long contributors are remembered, ms, 7 how long a closed window is, ms,
--       8 how long an open window is kept without news, ms, 9 most contributors to remember, 10.. the values
-- Gives {"open"}, {"full"}, or {"closed", values…}. Of a repeated contribution: what was given the first time.
local who, now, count, span = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local memory = tonumber(ARGV[6])

local function answer()
  local closed = redis.call('LRANGE', KEYS[4], 0, -1)
  -- The first element stands for the list itself: a window may have no values.
  if #closed == 0 then return {'open'} end
  closed[1] = 'closed'
  return closed
end

if redis.call('ZSCORE', KEYS[3], who) then return answer() end

local bytes = 0
for at = 10, #ARGV do bytes = bytes + #ARGV[at] end
local window = span > 0 and math.floor(now / span) or 0
local open = redis.call('HMGET', KEYS[2], 'window', 'count', 'bytes')
local held, number, used = tonumber(open[1]), tonumber(open[2] or '0'), tonumber(open[3] or '0')
-- A window of time is over once somebody comes after it; who comes late counts in the one that is open.
local over = span > 0 and held and window > held
if not over and used + bytes > tonumber(ARGV[5]) or bytes > tonumber(ARGV[5]) then return {'full'} end

local function close()
  redis.call('RPUSH', KEYS[4], '')
  local values = redis.call('LRANGE', KEYS[1], 0, -1)
  for from = 1, #values, 1000 do
    redis.call('RPUSH', KEYS[4], unpack(values, from, math.min(from + 999, #values)))
  end
  redis.call('PEXPIRE', KEYS[4], ARGV[7])
  redis.call('DEL', KEYS[1], KEYS[2])
  held, number, used = nil, 0, 0
end

if over then close() end
for from = 10, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
number = number + 1
redis.call('HSET', KEYS[2], 'window', string.format('%.0f', held or window), 'count', number, 'bytes', used + bytes)
if count > 0 and number >= count then close() end

redis.call('ZADD', KEYS[3], now, who)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - memory)
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[9]))
redis.call('PEXPIRE', KEYS[1], ARGV[8])
redis.call('PEXPIRE', KEYS[2], ARGV[8])
redis.call('PEXPIRE', KEYS[3], memory)
return answer()
