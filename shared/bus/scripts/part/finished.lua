-- Runs that have ended, until they expire: a sorted set of `<weight>|<run>` by the time of their last entry for the writer, ms,
-- and beside it what they weigh together. A run weighs one for each ten fields of its state, which is about 10 KB.
local function keep_finished(finished, run, log, events, last_entry, ttl, most)
  local id = string.match(run, '[^:]+$')
  local runs, logs = string.sub(run, 1, -#id - 1), string.sub(log, 1, -#id - 1)
  local now = tonumber(string.match(last_entry, '^%d+'))
  local weight = math.ceil(redis.call('HLEN', run) / 10)
  redis.call('ZADD', finished, now, weight .. '|' .. id)
  local all = redis.call('INCRBY', finished .. ':weight', weight)
  redis.call('PEXPIRE', finished, ttl)
  redis.call('PEXPIRE', finished .. ':weight', ttl)
  -- What the writer has recorded it has removed: whatever ended before the first entry that is left is in the record.
  local first = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
  local recorded = first and tonumber(string.match(first[1], '^%d+')) or now
  for _ = 1, 16 do
    local oldest = redis.call('ZRANGE', finished, 0, 0, 'WITHSCORES')
    local at = tonumber(oldest[2])
    if not at or (at > now - ttl and (all <= most or at >= recorded)) then
      return
    end
    local its, gone = string.match(oldest[1], '^(%d+)|(.*)$')
    redis.call('ZREM', finished, oldest[1])
    all = redis.call('DECRBY', finished .. ':weight', its)
    -- One that was begun again since is somebody's: it has no expiry.
    if redis.call('PTTL', runs .. gone) ~= -1 then
      redis.call('UNLINK', runs .. gone, logs .. gone)
    end
  end
end

