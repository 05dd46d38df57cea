-- No job of these runs is given out any more: none that waits, and none that comes in yet.
-- KEYS: 1 runs whose jobs are no longer wanted, then the streams.
-- ARGV: 1 group, 2 now in ms, 3 how long to remember a run in ms, then runs.
-- Answers how many jobs that were open to all were removed; those behind them are dropped when their turn comes.
local gone, now = KEYS[1], tonumber(ARGV[2])
local runs = {}
for i = 4, #ARGV do
  runs[ARGV[i]] = true
  redis.call('ZADD', gone, now, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', gone, '-inf', now - tonumber(ARGV[3]))
redis.call('PEXPIRE', gone, ARGV[3])
local removed = 0
for i = 2, #KEYS do
  local stream = KEYS[i]
  local _, last = group_of(stream, ARGV[1])
  for _, entry in ipairs(redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', MOST)) do
    for at = 1, #entry[2], 2 do
      if entry[2][at] == 'r' and runs[entry[2][at + 1]] then
        removed = removed + redis.call('XDEL', stream, entry[1])
      end
    end
  end
  keep_offered(stream, gone, ARGV[1])
end
return removed
