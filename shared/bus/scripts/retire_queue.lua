-- Removes the streams of a queue, if all are empty and nothing waits behind them.
-- KEYS: streams. Answers 1 when removed, 0 when something is still in one.
for _, stream in ipairs(KEYS) do
  if redis.call('XLEN', stream) > 0 or redis.call('EXISTS', stream .. ':ring') == 1 then
    return 0
  end
end
redis.call('DEL', unpack(KEYS))
return 1
