-- Appends one entry to each stream and publishes, in one step.
-- KEYS: streams. ARGV: field and value per stream, then channel and payload pairs.
local streams = #KEYS
for i = 1, streams do
  redis.call('XADD', KEYS[i], '*', ARGV[2 * i - 1], ARGV[2 * i])
end
for i = 2 * streams + 1, #ARGV, 2 do
  redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
end
return streams
