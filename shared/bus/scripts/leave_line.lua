-- Forgets the messages of runs that have begun, takes runs out that have ended, wherever they stand, and admits who is
-- next.
-- KEYS: 1 the line. ARGV: 1 now in ms, 2 admit at most so many, 3 how many begun, then the begun, then the ended.
-- Answers {run, message} of each admitted.
local first_ended = 4 + ARGV[3]
for i = 4, first_ended - 1 do
  if redis.call('ZREM', unsent, ARGV[i]) == 1 then
    redis.call('HDEL', messages, ARGV[i])
  end
end
for i = first_ended, #ARGV do
  local run = ARGV[i]
  stop(run)
  local priority, _, flow = about(run)
  if priority then
    wait_no_more(run, priority, flow)
    redis.call('HDEL', messages, run)
  end
end
return admit(ARGV[1], tonumber(ARGV[2]))
