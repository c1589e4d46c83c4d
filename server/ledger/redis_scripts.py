"""What Redis does in one step for a hall's ledger, in Lua: nobody sees the half of it, nor does a replica.

Everything is looked at before anything is written, because a script that fails in the middle leaves what it wrote. All
keys that a script touches are named in KEYS and carry the hall's hash tag, as Redis Cluster demands.
"""

KEYS_FOR_S = 4 * 24 * 3600  # a business day and more; the day of a hall never goes back
COPY_FORGOTTEN_S = 7 * 24 * 3600  # a server that was away for so long does not hold up the others

WRITTEN, TRIMMED, NOTED = b"written", b"trimmed", b"noted"

# KEYS: the stream, then the keys of each day. ARGV: last id and hash that the writer knows, then seven per commit:
# id, index of the day in KEYS, day, key (empty: none), previous hash, hash, body.
APPEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local id, head = '0-0', ARGV[2]
if #last > 0 then
  id = last[1][1]
  local fields = last[1][2]
  for i = 1, #fields, 2 do
    if fields[i] == 'hash' then head = fields[i + 1] end
  end
end
if id ~= ARGV[1] or head ~= ARGV[2] then return 'the last commit is ' .. id end
for i = 3, #ARGV, 7 do
  if ARGV[i + 3] ~= '' and redis.call('HEXISTS', KEYS[tonumber(ARGV[i + 1])], ARGV[i + 3]) == 1 then
    return 'commit ' .. ARGV[i] .. ' uses a key again'
  end
end
for i = 3, #ARGV, 7 do
  redis.call('XADD', KEYS[1], ARGV[i], 'day', ARGV[i + 2], 'key', ARGV[i + 3],
    'prev_hash', ARGV[i + 4], 'hash', ARGV[i + 5], 'body', ARGV[i + 6])
  if ARGV[i + 3] ~= '' then
    redis.call('HSET', KEYS[tonumber(ARGV[i + 1])], ARGV[i + 3], ARGV[i])
    redis.call('EXPIRE', KEYS[tonumber(ARGV[i + 1])], KEYS_FOR_S)
  end
end
return 'written'
""".replace("KEYS_FOR_S", str(KEYS_FOR_S))

# WAIT is about the last write of its own connection, and all before it: so there must be one. KEYS: the stream, what is
# written; ARGV: the id of a commit. Gives its hash as it stands on the server that is asked.
CONFIRM = """
redis.call('SET', KEYS[2], ARGV[1])
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return '' end
local fields = found[1][2]
for i = 1, #fields, 2 do
  if fields[i] == 'hash' then return fields[i + 1] end
end
return ''
"""

# A server says how far its own copy goes, and lets go of what every copy has. KEYS: the stream, where it begins, the
# copies, the seqs of the snapshots by version, the snapshots. ARGV: the server, the last commit it has copied, up to
# which commit the stream may go (0: only say how far), the hash that commit has in the copy. Nothing is let go of that
# no snapshot goes beyond, or that another server of these days has not copied; where hashes differ nothing is done.
TRIM = """
local now, upto = tonumber(redis.call('TIME')[1]), tonumber(ARGV[3])
local copies = redis.call('HGETALL', KEYS[3])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2] .. ' ' .. now)
if upto == 0 then return 'noted' end
for i = 1, #copies, 2 do
  local seq, at = string.match(copies[i + 1], '^(%d+) (%d+)$')
  if copies[i] ~= ARGV[1] then
    if now - tonumber(at) > COPY_FORGOTTEN_S then redis.call('HDEL', KEYS[3], copies[i])
    elseif tonumber(seq) < upto then return 'another server has copied up to ' .. seq end
  end
end
local newest, seqs = 0, redis.call('HGETALL', KEYS[4])
for i = 2, #seqs, 2 do newest = math.max(newest, tonumber(seqs[i])) end
if newest <= upto then return 'the newest snapshot is of ' .. string.format('%d', newest) end
local found = redis.call('XRANGE', KEYS[1], ARGV[3] .. '-0', ARGV[3] .. '-0')
if #found == 0 then return 'it is not there' end
local hash = ''
for i = 1, #found[1][2], 2 do
  if found[1][2][i] == 'hash' then hash = found[1][2][i + 1] end
end
if hash ~= ARGV[4] then return 'commit ' .. ARGV[3] .. ' is another one in the copy' end
redis.call('SET', KEYS[2], ARGV[3] .. ' ' .. hash)
redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%d-0', upto + 1))
for i = 1, #seqs, 2 do
  if tonumber(seqs[i + 1]) <= upto then
    redis.call('HDEL', KEYS[4], seqs[i])
    redis.call('HDEL', KEYS[5], seqs[i])
  end
end
return 'trimmed'
""".replace("COPY_FORGOTTEN_S", str(COPY_FORGOTTEN_S))

# KEYS: the seqs of the snapshots by version, the snapshots. ARGV: version, seq, bytes. The newest of a version stays.
KEEP_SNAPSHOT = """
local there = redis.call('HGET', KEYS[1], ARGV[1])
if there and tonumber(there) >= tonumber(ARGV[2]) then return 'there' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 'written'
"""

# A restored ledger takes its place whole. KEYS: the stream that is there, where it goes if it is replaced, then pairs:
# what was brought, its place. What was not brought must not stay in its place either. ARGV: 'replace', or ''.
PUT_IN_PLACE = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  if ARGV[1] ~= 'replace' then return 'there' end
  redis.call('RENAME', KEYS[1], KEYS[2])
end
for i = 3, #KEYS, 2 do
  redis.call('DEL', KEYS[i + 1])
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('RENAME', KEYS[i], KEYS[i + 1]) end
end
return 'written'
"""
