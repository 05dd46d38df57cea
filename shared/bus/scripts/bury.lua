-- Sets an entry aside with the reason, and acknowledges and removes it where it stood.
-- KEYS: 1 stream, 2 its dead-letter stream. ARGV: 1 group, 2 entry id, 3 reason, 4 limit of the dead-letter stream,
-- 5 content to keep, 6 the field that the content is the whole of, if it is. Answers 1, or 0 when the entry was gone already.
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 0 then
  return 0
end
local letter = { 'id', ARGV[2], 'reason', ARGV[3], 'content', ARGV[5] }
if ARGV[6] ~= '' then
  letter[7], letter[8] = 'field', ARGV[6]
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', unpack(letter))
return 1
