-- Commits one step of one run by compare-and-set: state, log, record, live view and timers together.
-- KEYS: 1 run hash, 2 log, 3 events stream, 4 timers, 5 inbox, 6 finished runs.
-- ARGV: 1 expected version ('0': the run must not exist), 2 new version, 3 expiry in ms ('0': none),
--   4 the inbox entry that must still be there ('': none),
--   5..11 the counts of: fields set, fields deleted, durable events, records, live events, timers set, timers cleared,
--   12 how much of finished runs is kept,
--   then flat: (field, value)*, field*, (log id, channel, event)*, event*, (so many durable events
--   come before it, channel, event)*, (due ms, timer)*, timer*.
-- Answers 1 when committed, 0 when the version is another or the entry is gone, 2 when the log is already past these ids.
local run, log, events, timers, inbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
if (redis.call('HGET', run, 'v') or '0') ~= ARGV[1] then
  return 0
end
if ARGV[4] ~= '' and #redis.call('XRANGE', inbox, ARGV[4], ARGV[4]) == 0 then
  return 0
end

local function many(command, key, first, last)
  -- Lua's stack holds some 8,000 values; 1,000 is even, so pairs stay together.
  for from = first, last, 1000 do
    redis.call(command, key, unpack(ARGV, from, math.min(from + 999, last)))
  end
end

local sets, deletes, durable = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local records, live = tonumber(ARGV[8]), tonumber(ARGV[9])
local timers_set, timers_cleared = tonumber(ARGV[10]), tonumber(ARGV[11])
local set_at = 13
local delete_at = set_at + 2 * sets
local durable_at = delete_at + deletes
local records_at = durable_at + 3 * durable
local live_at = records_at + records
local timers_at = live_at + 3 * live
local cleared_at = timers_at + 2 * timers_set

-- The log goes first: its ids only rise, so a first id that is refused means that nothing has been written yet.
for i = durable_at, records_at - 1, 3 do
  local added = redis.pcall('XADD', log, ARGV[i], 'e', ARGV[i + 2])
  if type(added) == 'table' and added.err then
    if i == durable_at and string.find(added.err, 'equal or smaller', 1, true) then
      return 2
    end
    return redis.error_reply(added.err)
  end
end
redis.call('HSET', run, 'v', ARGV[2])
many('HSET', run, set_at, delete_at - 1)
many('HDEL', run, delete_at, durable_at - 1)
many('ZADD', timers, timers_at, cleared_at - 1)
many('ZREM', timers, cleared_at, cleared_at + timers_cleared - 1)
local next_live, told = live_at, 0
local function tell_live()
  while next_live < timers_at and tonumber(ARGV[next_live]) <= told do
    redis.call('PUBLISH', ARGV[next_live + 1], ARGV[next_live + 2])
    next_live = next_live + 3
  end
end
tell_live()
local recorded_as
for i = durable_at, records_at - 1, 3 do
  recorded_as = redis.call('XADD', events, '*', 'e', ARGV[i + 2])
  redis.call('PUBLISH', ARGV[i + 1], ARGV[i + 2])
  told = told + 1
  tell_live()
end
for i = records_at, live_at - 1 do
  redis.call('XADD', events, '*', 'e', ARGV[i])
end
if ARGV[3] ~= '0' then
  redis.call('PEXPIRE', run, ARGV[3])
  redis.call('PEXPIRE', log, ARGV[3])
  if recorded_as then
    keep_finished(KEYS[6], run, log, events, recorded_as, tonumber(ARGV[3]), tonumber(ARGV[12]))
  end
end
return 1
