-- Forgets a queue that has not been used since a time; one used meanwhile stays.
-- KEYS: 1 registry. ARGV: 1 queue, 2 time in ms. Answers 1 when forgotten.
local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
if used and tonumber(used) <= tonumber(ARGV[2]) then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
