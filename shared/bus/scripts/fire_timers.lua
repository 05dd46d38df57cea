-- Moves timers that are due into the inbox, each exactly once however many sweepers race.
-- KEYS: 1 timers, 2 inbox. ARGV: 1 now in ms, 2 at most so many.
-- Answers how many moved and when the next is due (nil: none).
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, timer in ipairs(due) do
  redis.call('XADD', KEYS[2], '*', 't', timer)
  redis.call('ZREM', KEYS[1], timer)
end
local next_due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { #due, next_due[2] }
