-- Puts jobs of one flow into one queue at one priority and announces them. While nobody waits, the first few go where
-- any worker may take them at once; the others wait for their flow's turns.
-- KEYS: 1 stream, 2 runs whose jobs are no longer wanted.
-- ARGV: 1 group, 2 now in ms, 3 flow, 4 weight, 5 so many may be open to all at once, 6 channel that is told when the flow
--   begins to wait while others have jobs in hand or before it, then per job: run, JSON, channel and event; an empty channel announces nothing.
-- Answers how many were put in; jobs of runs that are gone are not.
local stream, gone = KEYS[1], KEYS[2]
local group, now, flow, weight = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local ring, heads, state = stream .. ':ring', stream .. ':heads', stream .. ':state'
local any_gone = redis.call('EXISTS', gone) == 1
local room = 0
local others_are_there = redis.call('XLEN', stream) > 0
if redis.call('EXISTS', ring) == 0 then
  room = tonumber(ARGV[5]) - untaken(stream, group)
end
local offered, waiting, comes = 0, 0, false
for i = 7, #ARGV, 4 do
  local run, job = ARGV[i], ARGV[i + 1]
  if not any_gone or not redis.call('ZSCORE', gone, run) then
    if offered < room then
      offer(stream, now, run, flow, job)
      offered = offered + 1
    else
      redis.call('RPUSH', list_of(stream, flow), now .. '|' .. run .. '|' .. job)
      waiting = waiting + 1
    end
    if ARGV[i + 2] ~= '' then
      redis.call('PUBLISH', ARGV[i + 2], ARGV[i + 3])
    end
  end
end
if waiting > 0 then
  comes = redis.call('ZADD', heads, 'NX', now, flow) == 1
  enter(ring, state, flow, weight)
  redis.call('HINCRBY', state, 'waiting', waiting)
  keep_offered(stream, gone, group)
end
if others_are_there and (comes or offered > 0) then
  redis.call('PUBLISH', ARGV[6], flow)
end
return offered + waiting
