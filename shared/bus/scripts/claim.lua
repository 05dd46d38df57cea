-- Takes over entries whose consumer has been silent, oldest first, and tells how often each was delivered. This is
-- XAUTOCLAIM with the counts that XAUTOCLAIM does not give.
-- KEYS: streams, in order. ARGV: 1 group, 2 consumer, 3 least idle time in ms, 4 at most so many, 5 a number of deliveries, this
-- one included, or 0 for none, 6 whether entries of that number are the ones to take ('only') or to leave ('but'), then
-- entries that the consumer is at work on and that are left alone, as '<stream number> <id>'.
-- Answers {how many of those to leave were met, {stream number, id, deliveries, {field, value, …}} per entry}.
local group, consumer, idle = ARGV[1], ARGV[2], ARGV[3]
local room, number, only = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == 'only'
local PAGE = 64
local found, left = {}, 0
local in_hand = {}
for at = 7, #ARGV do
  in_hand[ARGV[at]] = true
end

-- Without room it is still worth knowing whether there are any to leave.
local function goes_on()
  return room > 0 or (number > 0 and not only and left == 0)
end

local function meet(stream_number, stream, id, deliveries)
  if number > 0 and (deliveries == number) ~= only then
    left = left + (only and 0 or 1)
  elseif room > 0 then
    local entry = redis.call('XCLAIM', stream, group, consumer, idle, id)[1]
    if entry then
      found[#found + 1] = { stream_number, id, deliveries, entry[2] }
      room = room - 1
    else
      -- The entry was removed while somebody held it: nothing is left to do for it.
      redis.call('XACK', stream, group, id)
    end
  end
end

for stream_number, stream in ipairs(KEYS) do
  local from = '-'
  while from and goes_on() do
    local pending = redis.pcall('XPENDING', stream, group, 'IDLE', idle, from, '+', PAGE)
    if pending.err and not string.find(pending.err, 'NOGROUP', 1, true) then
      return pending
    end
    from = #pending == PAGE and '(' .. pending[PAGE][1] or nil
    for _, waiting in ipairs(pending) do
      if goes_on() and not in_hand[stream_number .. ' ' .. waiting[1]] then
        meet(stream_number, stream, waiting[1], waiting[4] + 1)
      end
    end
  end
end
return { left, found }
