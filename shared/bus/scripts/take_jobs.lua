-- Takes jobs from one queue: first each priority's own share, then what room is left, most urgent first; within a
-- priority what is open to all, then the flows in turn.
-- KEYS: 1 runs whose jobs are no longer wanted, then the streams, most urgent first.
-- ARGV: 1 group, 2 consumer, 3 at most so many, then one share per stream.
-- Answers {stream number, id, {field, value, …}} per job.
local gone, streams = KEYS[1], #KEYS - 1
local taken, room = {}, tonumber(ARGV[3])

-- Takes what is open to all; answers how many.
local function read(number, count)
  local stream = KEYS[1 + number]
  local reply = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', stream, '>')
  if reply and reply.err then
    if not string.find(reply.err, 'NOGROUP', 1, true) then
      error(reply.err)
    end
    if redis.call('EXISTS', stream) == 0 then
      return 0
    end
    redis.call('XGROUP', 'CREATE', stream, ARGV[1], '0')
    return read(number, count)
  end
  local entries = reply and reply[1][2] or {}
  for _, entry in ipairs(entries) do
    taken[#taken + 1] = { number, entry[1], entry[2] }
  end
  room = room - #entries
  return #entries
end

local function take(number, count)
  if count <= 0 then
    return
  end
  local got = read(number, count)
  if got < count and redis.call('EXISTS', KEYS[1 + number] .. ':ring') == 1 then
    local moved = refill(KEYS[1 + number], gone, count - got)
    if moved > 0 then
      read(number, moved)
    end
  end
end

for number = 1, streams do
  take(number, math.min(room, tonumber(ARGV[3 + number])))
end
for number = 1, streams do
  take(number, room)
end
for number = 1, streams do
  keep_offered(KEYS[1 + number], gone, ARGV[1])
end
return taken
