-- Tells how full a queue is.
-- KEYS: streams. ARGV: 1 group. Answers {waiting, pending, since when the oldest waits in ms or ''} per stream.
local depths = {}
for number, stream in ipairs(KEYS) do
  local pending, last = group_of(stream, ARGV[1])
  local behind = tonumber(redis.call('HGET', stream .. ':state', 'waiting') or 0)
  local oldest = redis.call('ZRANGE', stream .. ':heads', 0, 0, 'WITHSCORES')[2]
  local open = redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1)[1]
  if open then
    local since = string.match(open[1], '^%d+')
    for at = 1, #open[2], 2 do
      if open[2][at] == 't' then
        since = open[2][at + 1]
      end
    end
    oldest = math.min(tonumber(since), tonumber(oldest or since))
  end
  local waiting = redis.call('XLEN', stream) - pending + behind
  depths[number] = { waiting, pending, oldest and string.format('%.0f', oldest) or '' }
end
return depths
