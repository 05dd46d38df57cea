-- Takes one job of one queue, the most urgent there is, of a flow that the worker has nothing of in hand. What is open to all
-- and stands before it stays so: it is given out and back in one, since a stream is only read from its front.
-- KEYS: 1 runs whose jobs are no longer wanted, then the streams, most urgent first.
-- ARGV: 1 group, 2 consumer, then the flows that the worker has in hand.
-- Answers {stream number, id, {field, value, …}} per job.
local gone, group, consumer = KEYS[1], ARGV[1], ARGV[2]
-- Flows that are looked at, those whose turn comes first.
local LOOKED_AT = 32

local in_hand = {}
for i = 3, #ARGV do
  in_hand[ARGV[i]] = true
end

local function flow_of(entry)
  for at = 1, #entry[2], 2 do
    if entry[2][at] == 'f' then
      return entry[2][at + 1]
    end
  end
end

-- Entries of the stream to take so that a newcomer's is among them, moved there if it waits behind; 0 without one.
local function count_to_newcomer(stream)
  local _, last = group_of(stream, group)
  local open = redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', LOOKED_AT)
  for number, entry in ipairs(open) do
    local flow = flow_of(entry)
    if flow and not in_hand[flow] then
      return number
    end
  end
  local ring = stream .. ':ring'
  for _, flow in ipairs(redis.call('ZRANGE', ring, 0, LOOKED_AT - 1)) do
    if not in_hand[flow] then
      local was_there, is_open = move(stream, gone, flow, tonumber(redis.call('ZSCORE', ring, flow)))
      moved_on(stream, was_there and 1 or 0)
      if is_open then
        return #open + 1
      end
    end
  end
  return 0
end

for number = 1, #KEYS - 1 do
  local stream = KEYS[1 + number]
  local count = count_to_newcomer(stream)
  if count > 0 then
    local entries = read(stream, group, consumer, count)
    for at = 1, #entries - 1 do
      give_back(stream, group, entries[at])
    end
    keep_offered(stream, gone, group)
    local newcomer = entries[#entries]
    return newcomer and { { number, newcomer[1], newcomer[2] } } or {}
  end
end
return {}
