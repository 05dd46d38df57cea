-- Takes on sending admitted runs again that have not begun. One that another sweeper takes on, or that has begun, is left alone.
-- KEYS: 1 the line. ARGV: 1 now in ms, then run and since when, in ms, of each.
-- Answers {run, message} of each that was taken on.
local taken = {}
for i = 2, #ARGV, 2 do
  local run = ARGV[i]
  if tonumber(redis.call('ZSCORE', unsent, run) or -1) == tonumber(ARGV[i + 1]) then
    local _, _, _, message = about(run)
    if message then
      redis.call('ZADD', unsent, ARGV[1], run)
      taken[#taken + 1] = { run, message }
    else
      redis.call('ZREM', unsent, run)
    end
  end
end
return taken
