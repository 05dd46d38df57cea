-- The first entry that nobody of a group was handed yet. What is in hand stands before it: it stays until it is done with.
-- KEYS: 1 stream. ARGV: 1 group. Answers as XRANGE does.
local last = '0-0'
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
  return {}
end
for _, group in ipairs(groups) do
  local said = {}
  for at = 1, #group, 2 do
    said[group[at]] = group[at + 1]
  end
  if said['name'] == ARGV[1] then
    last = said['last-delivered-id']
  end
end
return redis.call('XRANGE', KEYS[1], '(' .. last, '+', 'COUNT', 1)
