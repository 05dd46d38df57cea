-- Acknowledges and removes those entries that this consumer still holds; what another has claimed since is left to it.
-- KEYS: 1 stream. ARGV: 1 group, 2 consumer, 3.. entry ids.
-- Answers how many were acknowledged. A group that is gone (FLUSHALL) holds nothing.
local own = {}
for i = 3, #ARGV do
  local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if held.err then
    if string.find(held.err, 'NOGROUP', 1, true) then
      return 0
    end
    return redis.error_reply(held.err)
  end
  if #held > 0 then
    own[#own + 1] = ARGV[i]
  end
end
for from = 1, #own, 1000 do
  local to = math.min(from + 999, #own)
  redis.call('XACK', KEYS[1], ARGV[1], unpack(own, from, to))
  redis.call('XDEL', KEYS[1], unpack(own, from, to))
end
return #own
