-- Notes that a replica is alive, and forgets those that have been silent. The clock is that of Redis: those of the replicas' hosts
-- may differ by more than a lease.
-- KEYS: 1 replicas by last sign of life. ARGV: 1 replica, 2 how long one may be silent, ms. Answers those that are there.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now - ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)
