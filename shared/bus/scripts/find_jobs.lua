-- Tells which of some jobs are in no queue: neither open to all, nor with a worker, nor waiting in their flow's line.
-- KEYS: 1 stream. ARGV: 1 look at no more than so many entries, 2 how many flows, then flows, then job ids.
-- Answers the ids that were not found; false when there is more to look at than that, so that nobody knows.
local stream, most, flows = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local length = redis.call('XLEN', stream)
for i = 3, 2 + flows do
  length = length + redis.call('LLEN', list_of(stream, ARGV[i]))
end
if length > most then
  return false
end
local there = {}
local function note(job)
  local id = string.match(job, '^{"id":"([^"]+)"')
  if id then
    there[id] = true
  end
end
local from = '-'
while true do
  local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', 200)
  for _, entry in ipairs(entries) do
    for at = 1, #entry[2], 2 do
      if entry[2][at] == 'j' then
        note(entry[2][at + 1])
      end
    end
  end
  if #entries < 200 then
    break
  end
  from = '(' .. entries[#entries][1]
end
for i = 3, 2 + flows do
  for _, waiting in ipairs(redis.call('LRANGE', list_of(stream, ARGV[i]), 0, -1)) do
    local job = string.match(waiting, '^%d+|[^|]*|(.*)$')
    note(job or '')
  end
end
local missing = {}
for i = 3 + flows, #ARGV do
  if not there[ARGV[i]] then
    missing[#missing + 1] = ARGV[i]
  end
end
return missing
