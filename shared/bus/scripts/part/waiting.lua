-- Jobs that wait behind a stream. The stream itself holds what workers have in hand and a few jobs that any worker may
-- take; the rest waits in one list per flow, `<stream>:flow:<flow>`, and follows in turns. Whenever a list holds
-- something, the stream holds something to take, so that a worker may block on the stream alone.
-- A waiting job is `<ms since when>|<run>|<JSON>`; `<stream>:heads` says since when each flow's first job waits.
local function list_of(stream, flow)
  return stream .. ':flow:' .. flow
end

-- What a group has to say of its stream: entries in hand, and the last one given out.
local function group_of(stream, group)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, found in ipairs(groups.err and {} or groups) do
    local facts = {}
    for i = 1, #found, 2 do
      facts[found[i]] = found[i + 1]
    end
    if facts['name'] == group then
      return facts['pending'], facts['last-delivered-id']
    end
  end
  return 0, '0-0'
end

-- How many entries of the stream nobody has taken.
local function untaken(stream, group)
  return redis.call('XLEN', stream) - group_of(stream, group)
end

-- Puts a job where any worker may take it.
local function offer(stream, since, run, job)
  redis.call('XADD', stream, '*', 'j', job, 't', since, 'r', run)
end

-- One call does no more than so many steps; what is left is for the next.
local MOST = 20000

-- Moves up to `count` waiting jobs into the stream, flows in turn; answers how many. Jobs of runs that are gone are
-- dropped on the way, at no flow's cost.
local function refill(stream, gone, count)
  local ring, heads, state = stream .. ':ring', stream .. ':heads', stream .. ':state'
  local any_gone = redis.call('EXISTS', gone) == 1
  local moved, popped = 0, 0
  while moved < count and popped < MOST do
    local flow, turn = first(ring)
    if not flow then
      break
    end
    local list = list_of(stream, flow)
    local waiting = redis.call('LPOP', list)
    if waiting then
      popped = popped + 1
      local since, run, job = string.match(waiting, '^(%d+)|([^|]*)|(.*)$')
      if not any_gone or not redis.call('ZSCORE', gone, run) then
        offer(stream, since, run, job)
        served(ring, state, flow, turn)
        moved = moved + 1
      end
    end
    local head = redis.call('LINDEX', list, 0)
    if head then
      redis.call('ZADD', heads, string.match(head, '^%d+'), flow)
    else
      leave(ring, state, flow)
      redis.call('ZREM', heads, flow)
    end
  end
  if redis.call('EXISTS', ring) == 0 then
    redis.call('DEL', state)
  elseif popped > 0 then
    redis.call('HINCRBY', state, 'waiting', -popped)
  end
  return moved
end

-- Sees to it that a worker who blocks on the stream is woken while something waits.
local function keep_offered(stream, gone, group)
  if redis.call('EXISTS', stream .. ':ring') == 1 and untaken(stream, group) == 0 then
    refill(stream, gone, 1)
  end
end
