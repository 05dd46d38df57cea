-- The line in front of the orchestrators. KEYS[1] is its name; every key begins with it and shares its hash tag:
--   :running   sorted set of admitted runs by when, ms        :flows     hash of their flows
--   :busy      sorted set of flows by admitted runs           :waits     sorted set of `<priority>|<flow>` by who waits
--   :unsent    sorted set of admitted runs that have not begun, as far as is known, by when they were sent, ms
--   :messages  hash of `<priority>|<ms since when>|<flow>|<message>` of runs that wait or have not begun
--   :shares    hash of what the lower priorities have saved   :settings  hash of `limit` and `reserve`
--   :<priority>:ring, :state, :heads   as behind a job stream :<priority>:flow:<flow>  its waiting runs by since when
local line = KEYS[1]
local running, messages, unsent = line .. ':running', line .. ':messages', line .. ':unsent'
local flows, busy, waits = line .. ':flows', line .. ':busy', line .. ':waits'
local PRIORITIES = { 'high', 'normal', 'low' }
-- Of those admitted while more urgent ones wait, one in so many.
local ONE_IN = { false, 8, 16 }

local function level(priority)
  return line .. ':' .. priority
end

local function list_of(priority, flow)
  return level(priority) .. ':flow:' .. flow
end

local function waits_at(priority)
  return redis.call('EXISTS', level(priority) .. ':ring') == 1
end

-- Runs that may be under way at once, and how many more of flows that have none. Until an orchestrator has said so, nobody
-- is admitted: neither before the first has come up, nor right after the loss of everything.
local function limits()
  local set = redis.call('HMGET', line .. ':settings', 'limit', 'reserve')
  return tonumber(set[1] or 0), tonumber(set[2] or 0)
end

-- Priority, since when, flow and message of a run that has not begun.
local function about(run)
  local held = redis.call('HGET', messages, run)
  if held then
    return string.match(held, '^(%a+)|(%d+)|([^|]*)|(.*)$')
  end
end

local function wait(run, priority, flow, weight, since)
  local at = level(priority)
  redis.call('ZADD', list_of(priority, flow), since, run)
  redis.call('ZADD', at .. ':heads', 'NX', since, flow)
  enter(at .. ':ring', at .. ':state', flow, weight)
  redis.call('HINCRBY', at .. ':state', 'waiting', 1)
  redis.call('ZINCRBY', waits, 1, priority .. '|' .. flow)
end

-- Takes a run out of those who wait; answers whether it was one.
local function wait_no_more(run, priority, flow)
  local at, list = level(priority), list_of(priority, flow)
  if redis.call('ZREM', list, run) == 0 then
    return false
  end
  if tonumber(redis.call('ZINCRBY', waits, -1, priority .. '|' .. flow)) <= 0 then
    redis.call('ZREM', waits, priority .. '|' .. flow)
  end
  local head = redis.call('ZRANGE', list, 0, 0, 'WITHSCORES')
  if head[1] then
    redis.call('ZADD', at .. ':heads', head[2], flow)
  else
    leave(at .. ':ring', at .. ':state', flow)
    redis.call('ZREM', at .. ':heads', flow)
  end
  if waits_at(priority) then
    redis.call('HINCRBY', at .. ':state', 'waiting', -1)
  else
    redis.call('DEL', at .. ':state')
  end
  return true
end

local function start(run, flow, now)
  redis.call('ZADD', running, now, run)
  redis.call('HSET', flows, run, flow)
  redis.call('ZINCRBY', busy, 1, flow)
  redis.call('ZADD', unsent, now, run)
end

local function stop(run)
  if redis.call('ZREM', running, run) == 1 then
    local flow = redis.call('HGET', flows, run) or ''
    redis.call('HDEL', flows, run)
    if tonumber(redis.call('ZINCRBY', busy, -1, flow)) <= 0 then
      redis.call('ZREM', busy, flow)
    end
  end
  redis.call('ZREM', unsent, run)
end

-- Whose turn it is among the priorities; nil when nobody waits.
local function next_priority()
  local chosen, urgent
  for number, priority in ipairs(PRIORITIES) do
    if waits_at(priority) then
      if not urgent then
        urgent = priority
      else
        local saved = redis.call('HINCRBY', line .. ':shares', priority, 1)
        if not chosen and saved >= ONE_IN[number] then
          redis.call('HSET', line .. ':shares', priority, 0)
          chosen = priority
        end
      end
    end
  end
  return chosen or urgent
end

-- Among the first few in turn, a flow that has no run under way.
local function idle_flow()
  for _, priority in ipairs(PRIORITIES) do
    for _, flow in ipairs(redis.call('ZRANGE', level(priority) .. ':ring', 0, 31)) do
      if not redis.call('ZSCORE', busy, flow) then
        return priority, flow
      end
    end
  end
end

-- Admits who is next, as long as there is room, at most `most`; answers {run, message} of each.
local function admit(now, most)
  local admitted = {}
  local limit, reserve = limits()
  local count = redis.call('ZCARD', running)
  while #admitted < most and count < limit + reserve do
    local priority, flow
    if count < limit then
      priority = next_priority()
      flow = priority and first(level(priority) .. ':ring')
    else
      priority, flow = idle_flow()
    end
    if not flow then
      break
    end
    local at = level(priority)
    served(at .. ':ring', at .. ':state', flow, tonumber(redis.call('ZSCORE', at .. ':ring', flow)))
    local run = redis.call('ZRANGE', list_of(priority, flow), 0, 0)[1]
    local _, _, _, message = about(run)
    wait_no_more(run, priority, flow)
    if message then
      start(run, flow, now)
      admitted[#admitted + 1] = { run, message }
      count = count + 1
    end
  end
  return admitted
end
