-- Takes over entries whose consumer has been silent, oldest first, and tells how often each was delivered. This is
-- XAUTOCLAIM with the counts that XAUTOCLAIM does not give.
-- KEYS: streams, in order. ARGV: 1 group, 2 consumer, 3 least idle time in ms, 4 at most so many.
-- Answers {stream number, id, deliveries, {field, value, …}} per entry.
local found, room = {}, tonumber(ARGV[4])
for number, stream in ipairs(KEYS) do
  if room <= 0 then
    break
  end
  local pending = redis.pcall('XPENDING', stream, ARGV[1], 'IDLE', ARGV[3], '-', '+', room)
  if not pending.err then
    for _, waiting in ipairs(pending) do
      local id, deliveries = waiting[1], waiting[4]
      local entry = redis.call('XCLAIM', stream, ARGV[1], ARGV[2], ARGV[3], id)[1]
      if entry then
        found[#found + 1] = { number, id, deliveries + 1, entry[2] }
        room = room - 1
      else
        -- The entry was removed while somebody held it: nothing is left to do for it.
        redis.call('XACK', stream, ARGV[1], id)
      end
    end
  elseif not string.find(pending.err, 'NOGROUP', 1, true) then
    return pending
  end
end
return found
