-- Tells who runs and who waits.
-- KEYS: 1 the line. ARGV: 1 at most so many flows of each kind.
-- Answers {running, limit, reserve, {waiting, since when the first waits in ms or ''} per priority,
--   {priority, flow, waiting, running} of the flows with most waiting, {flow, running} of those with most running}.
local limit, reserve = limits()
local levels, waiting, under_way = {}, {}, {}
for number, priority in ipairs(PRIORITIES) do
  local at = level(priority)
  local since = redis.call('ZRANGE', at .. ':heads', 0, 0, 'WITHSCORES')[2]
  local count = tonumber(redis.call('HGET', at .. ':state', 'waiting') or 0)
  levels[number] = { count, since and string.format('%.0f', since) or '' }
end
local found = redis.call('ZREVRANGE', waits, 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  local priority, flow = string.match(found[i], '^(%a+)|(.*)$')
  waiting[#waiting + 1] = { priority, flow, tonumber(found[i + 1]), tonumber(redis.call('ZSCORE', busy, flow) or 0) }
end
found = redis.call('ZREVRANGE', busy, 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  under_way[#under_way + 1] = { found[i], tonumber(found[i + 1]) }
end
return { redis.call('ZCARD', running), limit, reserve, levels, waiting, under_way }
