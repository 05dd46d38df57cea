-- Tells how full a queue is.
-- KEYS: streams. ARGV: 1 group. Answers {entries, pending, id of the oldest that nobody has taken} per stream.
local function last_delivered(stream)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, group in ipairs(groups.err and {} or groups) do
    local facts = {}
    for i = 1, #group, 2 do
      facts[group[i]] = group[i + 1]
    end
    if facts['name'] == ARGV[1] then
      return facts['pending'], facts['last-delivered-id']
    end
  end
  return 0, '0-0'
end
local depths = {}
for number, stream in ipairs(KEYS) do
  local pending, last = last_delivered(stream)
  local oldest = redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1)[1]
  depths[number] = { redis.call('XLEN', stream), pending, oldest and oldest[1] or '' }
end
return depths
