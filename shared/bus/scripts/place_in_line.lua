-- Tells a run's place: who is about to be admitted before it, were nobody to come or go. That is who waits with more
-- urgency, who waits in its own flow, and the turns of the others until its own comes.
-- KEYS: 1 the line. ARGV: 1 run, 2 look at so many flows. Answers {ahead, ahead in its flow, since when in ms}, or nothing.
local priority, since, flow = about(ARGV[1])
local own = priority and redis.call('ZRANK', list_of(priority, flow), ARGV[1])
if not own then
  return {}
end
local ahead = own
for _, urgent in ipairs(PRIORITIES) do
  if urgent == priority then
    break
  end
  ahead = ahead + tonumber(redis.call('HGET', level(urgent) .. ':state', 'waiting') or 0)
end
local ring, state = level(priority) .. ':ring', level(priority) .. ':state'
local function pace(which)
  return STRIDE / (redis.call('HGET', state, 'w:' .. which) or 1)
end
local turn = redis.call('ZSCORE', ring, flow) + own * pace(flow)
local others = redis.call('ZRANGE', ring, 0, ARGV[2] - 1, 'WITHSCORES')
for i = 1, #others, 2 do
  local other, at = others[i], tonumber(others[i + 1])
  if other ~= flow and at <= turn then
    local turns = math.floor((turn - at) / pace(other)) + 1
    ahead = ahead + math.min(turns, redis.call('ZCARD', list_of(priority, other)))
  end
end
return { ahead, own, since }
