-- Acknowledges entries and removes them, so that a stream holds only what is still to be done.
-- KEYS: 1 stream. ARGV: 1 group, then entry ids. Answers how many were removed.
local removed = 0
for from = 2, #ARGV, 1000 do
  local last = math.min(from + 999, #ARGV)
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, from, last))
  removed = removed + redis.call('XDEL', KEYS[1], unpack(ARGV, from, last))
end
return removed
