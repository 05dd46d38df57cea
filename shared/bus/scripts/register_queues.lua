-- Notes that queues are in use, and wakes the workers when one is new.
-- KEYS: 1 registry. ARGV: 1 channel, 2 now in ms, then queues. Answers how many were new.
local new = 0
for i = 3, #ARGV do
  if redis.call('ZADD', KEYS[1], ARGV[2], ARGV[i]) == 1 then
    new = new + 1
    redis.call('PUBLISH', ARGV[1], ARGV[i])
  end
end
return new
