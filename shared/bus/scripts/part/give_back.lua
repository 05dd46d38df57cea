-- Opens an entry that was given out to all again, as if it never had been.
local function give_back(stream, group, entry)
  redis.call('XADD', stream, '*', unpack(entry[2]))
  redis.call('XACK', stream, group, entry[1])
  redis.call('XDEL', stream, entry[1])
end
