-- compare-and-delete: deletes a string only while it holds the expected value
--
-- KEYS[1]  the string
-- ARGV[1]  the value that is expected, compared byte for byte
--
-- Reply    1 deleted; 0 the value is another one, or the key does not exist
-- Errors   ERR wrong number of keys or arguments; WRONGTYPE the key is no string. After an error nothing was written.
-- Atomic   yes. Cluster: one key. O(size of the value). Redis 6.0 or later, Valkey, redict.
--
-- The usual copy sends GET and DEL as two commands: between them the key may expire and be set by somebody else, whose
-- value is then deleted. Servers with DELIFEQ (Valkey 9) or DELEX (Redis 8.4) need no script.

if #KEYS ~= 1 or #ARGV ~= 1 then
  return redis.error_reply('ERR compare-and-delete takes 1 key and 1 argument: expected')
end

local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  return value
end
if value ~= ARGV[1] then
  return 0
end
return redis.call('UNLINK', KEYS[1])
