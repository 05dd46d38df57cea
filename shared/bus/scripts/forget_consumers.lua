-- Forgets consumers that hold nothing and have been silent for long; their names would pile up otherwise.
-- KEYS: 1 stream. ARGV: 1 group, 2 silence in ms. Answers how many were forgotten.
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then
  return 0
end
local forgotten = 0
for _, consumer in ipairs(consumers) do
  local facts = {}
  for i = 1, #consumer, 2 do
    facts[consumer[i]] = consumer[i + 1]
  end
  if facts['pending'] == 0 and facts['idle'] >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], facts['name'])
    forgotten = forgotten + 1
  end
end
return forgotten
