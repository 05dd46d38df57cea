-- Takes jobs from one queue: first each priority's own share, then what room is left, most urgent first.
-- KEYS: the streams, most urgent first. ARGV: 1 group, 2 consumer, 3 at most so many, then one share per stream.
-- Answers {stream number, id, {field, value, …}} per job.
local taken, room = {}, tonumber(ARGV[3])
local function take(number, count)
  if count <= 0 then
    return
  end
  local reply = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', KEYS[number], '>')
  if reply and reply.err then
    if not string.find(reply.err, 'NOGROUP', 1, true) then
      error(reply.err)
    end
    if redis.call('EXISTS', KEYS[number]) == 0 then
      return
    end
    redis.call('XGROUP', 'CREATE', KEYS[number], ARGV[1], '0')
    return take(number, count)
  end
  for _, entry in ipairs(reply and reply[1][2] or {}) do
    taken[#taken + 1] = { number, entry[1], entry[2] }
    room = room - 1
  end
end
for number = 1, #KEYS do
  take(number, math.min(room, tonumber(ARGV[3 + number])))
end
for number = 1, #KEYS do
  take(number, room)
end
return taken
