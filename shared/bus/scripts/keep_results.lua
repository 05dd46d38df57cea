-- Keeps results of one shard, within its bound: what has expired leaves the index, and beyond the bound the oldest go.
-- KEYS: 1 index (digest by expiry, ms), then one key per result. ARGV: 1 now ms, 2 time to live ms, 3 most results,
--   4 prefix of result keys, then (digest, value)* in the order of the keys. Answers {evicted, left}.
local index, now, ttl, most, prefix = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
-- What needs memory goes first: a Redis that has none left refuses only the first write of a script.
for i = 2, #KEYS do
  local at = 5 + 2 * (i - 2)
  redis.call('SET', KEYS[i], ARGV[at + 1], 'PX', ttl)
  redis.call('ZADD', index, now + ttl, ARGV[at])
end
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
redis.call('PEXPIRE', index, ttl)
local beyond = redis.call('ZCARD', index) - most
if beyond > 0 then
  local oldest = redis.call('ZPOPMIN', index, beyond)
  for i = 1, #oldest, 2 do
    redis.call('DEL', prefix .. oldest[i])
  end
  return {beyond, most}
end
return {0, beyond + most}
