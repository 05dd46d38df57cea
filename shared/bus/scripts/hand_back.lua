-- Gives jobs in hand back: each is open to all workers again, as if it had never been handed out. Those that another worker
-- has taken over, or that are gone, are left alone.
-- KEYS: 1 stream. ARGV: 1 group, 2 consumer, then entries. Answers how many were given back.
local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local given = 0
for at = 3, #ARGV do
  local id = ARGV[at]
  local held = redis.pcall('XPENDING', stream, group, id, id, 1, consumer)
  if held.err == nil and #held == 1 then
    local entry = redis.call('XRANGE', stream, id, id)[1]
    if entry then
      give_back(stream, group, entry)
      given = given + 1
    else
      redis.call('XACK', stream, group, id)
    end
  end
end
return given
