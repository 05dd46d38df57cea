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
local function offer(stream, since, run, flow, job)
  redis.call('XADD', stream, '*', 'j', job, 't', since, 'r', run, 'f', flow)
end

-- Moves the first waiting job of a flow whose turn it is into the stream; answers whether one was taken out of its list, and
-- whether it was moved. Jobs of runs that are gone are dropped, at no flow's cost.
local function move(stream, gone, flow, turn)
  local ring, heads, state, list = stream .. ':ring', stream .. ':heads', stream .. ':state', list_of(stream, flow)
  local waiting, moved = redis.call('LPOP', list), false
  if waiting then
    local since, run, job = string.match(waiting, '^(%d+)|([^|]*)|(.*)$')
    if not redis.call('ZSCORE', gone, run) then
      offer(stream, since, run, flow, job)
      served(ring, state, flow, turn)
      moved = true
    end
  end
  local head = redis.call('LINDEX', list, 0)
  if head then
    redis.call('ZADD', heads, string.match(head, '^%d+'), flow)
  else
    leave(ring, state, flow)
    redis.call('ZREM', heads, flow)
  end
  return waiting, moved
end

-- Notes that so many jobs wait no longer.
local function moved_on(stream, popped)
  if redis.call('EXISTS', stream .. ':ring') == 0 then
    redis.call('DEL', stream .. ':state')
  elseif popped > 0 then
    redis.call('HINCRBY', stream .. ':state', 'waiting', -popped)
  end
end

-- Gives the consumer up to `count` jobs that are open to all; answers them.
local function read(stream, group, consumer, count)
  local reply = redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>')
  if reply and reply.err then
    if not string.find(reply.err, 'NOGROUP', 1, true) then
      error(reply.err)
    end
    if redis.call('EXISTS', stream) == 0 then
      return {}
    end
    redis.call('XGROUP', 'CREATE', stream, group, '0')
    return read(stream, group, consumer, count)
  end
  return reply and reply[1][2] or {}
end

-- One call does no more than so many steps; what is left is for the next.
local MOST = 20000

-- Moves up to `count` waiting jobs into the stream, flows in turn; answers how many.
local function refill(stream, gone, count)
  local moved, popped = 0, 0
  while moved < count and popped < MOST do
    local flow, turn = first(stream .. ':ring')
    if not flow then
      break
    end
    local was_there, is_open = move(stream, gone, flow, turn)
    popped = popped + (was_there and 1 or 0)
    moved = moved + (is_open and 1 or 0)
  end
  moved_on(stream, popped)
  return moved
end

-- Sees to it that a worker who blocks on the stream is woken while something waits.
local function keep_offered(stream, gone, group)
  if redis.call('EXISTS', stream .. ':ring') == 1 and untaken(stream, group) == 0 then
    refill(stream, gone, 1)
  end
end
