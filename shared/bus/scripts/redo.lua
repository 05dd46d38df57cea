-- Puts an entry that was set aside back into its stream, as it was.
-- KEYS: 1 stream, 2 its dead-letter stream. ARGV: 1 the dead letter's id. Answers 1; 0 when there is no such letter, -1 when what was
-- kept of it is not the whole entry.
local found = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])
if #found == 0 then
  return 0
end
local kept = {}
for i = 1, #found[1][2], 2 do
  kept[found[1][2][i]] = found[1][2][i + 1]
end
if not kept['field'] then
  return -1
end
redis.call('XADD', KEYS[1], '*', kept['field'], kept['content'])
redis.call('XDEL', KEYS[2], ARGV[1])
return 1
