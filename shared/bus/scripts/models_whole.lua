-- Says that the copy of the registry is whole, if nobody changed it, and Redis did not lose it, since the draft was begun.
-- KEYS: 1 models. ARGV: 1 the field that says whole, 2 that of the draft, 3 the draft's name. Answers 1 when it is whole.
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], '1')
return 1
