-- Gives back a lease, if it is one's own.
-- KEYS: 1 lease. ARGV: 1 owner. Answers 1 when given back.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
