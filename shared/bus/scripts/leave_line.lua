-- Forgets the messages of runs that have begun, takes runs out that have ended, wherever they stand, counts those no longer
-- that only wait for time, counts those again that go on, whether there is room or not, and admits who is next.
-- KEYS: 1 the line. ARGV: 1 now in ms, 2 admit at most so many, 3 how many begun, 4 how many ended, 5 how many resting, then the
--   begun, the ended, the resting, and run and flow of each that goes on.
-- Answers {run, message} of each admitted.
local now, most, at = ARGV[1], tonumber(ARGV[2]), 6
local function each(count, act)
  for i = at, at + count - 1 do
    act(ARGV[i])
  end
  at = at + count
end

each(tonumber(ARGV[3]), function(run)
  if redis.call('ZREM', unsent, run) == 1 then
    redis.call('HDEL', messages, run)
  end
end)
each(tonumber(ARGV[4]), function(run)
  stop(run)
  local priority, _, flow = about(run)
  if priority then
    wait_no_more(run, priority, flow)
    redis.call('HDEL', messages, run)
  end
end)
each(tonumber(ARGV[5]), stop)
while at < #ARGV do
  local run, flow = ARGV[at], ARGV[at + 1]
  if not redis.call('ZSCORE', running, run) then
    start(run, flow, now)
    redis.call('ZREM', unsent, run)
  end
  at = at + 2
end
return admit(now, most)
