-- Keeps claims fresh. A claim that somebody else has taken over meanwhile is left alone.
-- KEYS: 1 stream. ARGV: 1 group, 2 consumer, then entry ids. Answers the ids that are no longer held.
local lost = {}
for i = 3, #ARGV do
  local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if held.err or #held == 0 then
    lost[#lost + 1] = ARGV[i]
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return lost
