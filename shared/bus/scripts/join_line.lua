-- Lets a run in: at once while there is room and nobody as urgent waits, or when its flow has no run under way and the
-- reserve has room; otherwise it waits. A run that is in the line already keeps its place.
-- KEYS: 1 the line. ARGV: 1 now in ms, 2 run, 3 priority, 4 flow, 5 weight, 6 message. Answers 1 when it is admitted.
local now, run, priority, flow, weight, message = unpack(ARGV)
if redis.call('ZSCORE', running, run) then
  redis.call('HSET', messages, run, priority .. '|' .. now .. '|' .. flow .. '|' .. message)
  redis.call('ZADD', unsent, now, run)
  return 1
end
local waiting, since, waiting_flow = about(run)
if waiting then
  redis.call('HSET', messages, run, waiting .. '|' .. since .. '|' .. waiting_flow .. '|' .. message)
  return 0
end
redis.call('HSET', messages, run, priority .. '|' .. now .. '|' .. flow .. '|' .. message)
local ahead = false
for _, level in ipairs(PRIORITIES) do
  ahead = ahead or waits_at(level)
  if level == priority then
    break
  end
end
local limit, reserve = limits()
local count = redis.call('ZCARD', running)
local idle = not redis.call('ZSCORE', busy, flow) and redis.call('EXISTS', list_of(priority, flow)) == 0
if (count < limit and not ahead) or (count < limit + reserve and idle) then
  start(run, flow, now)
  return 1
end
wait(run, priority, flow, weight, now)
return 0
