-- Takes jobs from one queue: first each priority's own share, then what room is left, most urgent first; within a
-- priority what is open to all, then the flows in turn.
-- KEYS: 1 runs whose jobs are no longer wanted, then the streams, most urgent first.
-- ARGV: 1 group, 2 consumer, 3 at most so many, then one share per stream.
-- Answers {stream number, id, {field, value, …}} per job.
local gone, streams = KEYS[1], #KEYS - 1
local taken, room = {}, tonumber(ARGV[3])

local function note(number, entries)
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
  local stream = KEYS[1 + number]
  local got = note(number, read(stream, ARGV[1], ARGV[2], count))
  if got < count and redis.call('EXISTS', stream .. ':ring') == 1 then
    local moved = refill(stream, gone, count - got)
    if moved > 0 then
      note(number, read(stream, ARGV[1], ARGV[2], moved))
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
