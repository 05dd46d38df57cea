-- Finds admitted runs that have not begun for too long; each is found again as much later.
-- KEYS: 1 the line. ARGV: 1 now in ms, 2 since when at the latest in ms, 3 at most so many.
-- Answers {run, message, since when in ms} of each.
local late = {}
local found = redis.call('ZRANGEBYSCORE', unsent, '-inf', ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #found, 2 do
  local run = found[i]
  local _, _, _, message = about(run)
  if message then
    redis.call('ZADD', unsent, ARGV[1], run)
    late[#late + 1] = { run, message, found[i + 1] }
  else
    redis.call('ZREM', unsent, run)
  end
end
return late
