/**
 * What commands answer in RESP2 when they are not refused, by shape; scripts/generate-catalog.mjs puts it in the table.
 * Kept by hand. The facts come from the reply schemas in the command files of redis/redis 8.6 and valkey-io/valkey 9.1,
 * which do not tell a status (`simple`) from a bulk string, nor what becomes of a map in RESP2: that is from running them, and
 * test/redis/replies.test.ts holds the servers to it. Commands whose answer is whatever they run (EVAL, FCALL), or none,
 * have no shape, nor have containers, which only their subcommands answer.
 */
export const replies = {
  array: `
    acl|cat acl|help acl|list acl|users argetrange argrep arlastitems armget arscan backup|help backup|list bitfield
    bitfield_ro bless|get bless|scan client|help clusterscan cluster|getkeysinslot cluster|getslotmigrations
    cluster|help cluster|links cluster|replicas cluster|shards cluster|slaves cluster|slot-stats cluster|slots
    command commandlog|get commandlog|help command|getkeys command|getkeysandflags command|help command|info
    command|list config|help function|help function|list geohash geopos georadius_ro georadiusbymember_ro geosearch
    hexpire hexpireat hexpiretime hgetdel hgetex hkeys hmget hotkeys|help hpersist hpexpire hpexpireat hpexpiretime
    hpttl hscan httl hvals increx keys latency|help latency|history latency|latest lrange memory|help mget
    module|help module|list object|help psubscribe pubsub|channels pubsub|help pubsub|numsub pubsub|shardchannels
    pubsub|shardnumsub punsubscribe role scan script|exists script|help sdiff sinter slowlog|get slowlog|help
    smembers smismember sort_ro sscan ssubscribe subscribe sunion sunsubscribe time unsubscribe vrange vsim waitaof
    xackdel xautoclaim xclaim xdelex xgroup|help xinfo|consumers xinfo|groups xinfo|help xpending xrange xrevrange
    zdiff zinter zmscore zpopmax zpopmin zrange zrangebylex zrangebyscore zrevrange zrevrangebylex zrevrangebyscore
    zscan zunion
  `,
  'array|nil': `
    blmovem blmpop blpop brpop bzmpop bzpopmax bzpopmin exec hotkeys|get lmovem lmpop vemb vlinks xread xreadgroup
    zmpop
  `,
  bulk: `
    acl|genpass acl|whoami client|info client|list cluster|info cluster|myid cluster|myshardid cluster|nodes echo
    function|dump function|load getrange info latency|doctor latency|graph lolwut memory|doctor memory|malloc-stats
    script|load script|show substr
  `,
  'bulk|array|nil': `hrandfield lpop rpop spop srandmember vrandmember zrandmember`,
  'bulk|integer|array': `cluster|migration`,
  'bulk|integer|map': `lcs stralgo`,
  'bulk|integer|nil': `arop`,
  'bulk|nil': `
    arget blmove brpoplpush client|getname digest dump get getdel getex getset hget lindex lmove object|encoding
    randomkey rpoplpush vgetattr xadd
  `,
  double: `hincrbyfloat incrbyfloat zincrby`,
  'double|integer|nil': `zadd`,
  'double|nil': `geodist zscore`,
  integer: `
    acl|deluser append arcount ardel ardelrange arinsert arlen armset arring arseek arset bitcount bitop bitpos
    bless|clear bless|set client|getredir client|id client|unblock cluster|count-failure-reports
    cluster|countkeysinslot cluster|keyslot commandlog|len command|count copy dbsize decr decrby del delex delifeq
    exists expire expireat expiretime geoadd geosearchstore getbit hdel hexists himport|discard himport|discardall
    hincrby hlen hset hsetex hsetnx hstrlen incr incrby lastsave latency|reset linsert llen lpush lpushx lrem move
    msetex msetnx persist pexpire pexpireat pexpiretime pfadd pfcount pttl publish pubsub|numpat renamenx rpush
    rpushx sadd scard sdiffcard sdiffstore setbit setnx setrange sintercard sinterstore sismember slowlog|len smove
    spublish srem strlen sunioncard sunionstore touch ttl unlink vadd vcard vdim vismember vrem vsetattr wait xack
    xdel xgroup|createconsumer xgroup|delconsumer xgroup|destroy xlen xnack xtrim zcard zcount zdiffstore zintercard
    zinterstore zlexcount zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore
  `,
  'integer|array': `georadius georadiusbymember sort`,
  'integer|array|nil': `lpos zrank zrevrank`,
  'integer|nil': `arnext memory|usage object|freq object|idletime object|refcount`,
  map: `
    arinfo backup|status client|trackinginfo command|docs config|get function|stats hello hgetall latency|histogram
    memory|stats xinfo|stream
  `,
  'map|nil': `acl|getuser vinfo`,
  simple: `
    acl|load acl|save acl|setuser asking auth backup|abort backup|cleanup backup|seal backup|start bgrewriteaof
    bgsave client|caching client|capa client|import-source client|no-evict client|no-touch client|pause
    client|setinfo client|setname client|tracking client|unpause cluster|addslots cluster|addslotsrange
    cluster|bumpepoch cluster|cancelslotmigrations cluster|delslots cluster|delslotsrange cluster|failover
    cluster|flushslot cluster|flushslots cluster|forget cluster|meet cluster|migrateslots cluster|replicate
    cluster|reset cluster|saveconfig cluster|set-config-epoch cluster|setslot commandlog|reset config|resetstat
    config|rewrite config|set discard failover flushall flushdb function|delete function|flush function|kill
    function|restore himport|prepare himport|set hmset hotkeys|reset hotkeys|start lset ltrim memory|purge migrate
    module|load module|loadex module|unload monitor mset multi pfmerge pfselftest psetex quit readonly readwrite
    rename replconf replicaof reset restore restore-asking save script|debug script|flush script|kill select setex
    slaveof slowlog|reset swapdb trimslots type unwatch watch xcfgset xgroup|create xgroup|setid xidmprecord xsetid
  `,
  'simple|array': `acl|log`,
  'simple|bulk': `acl|dryrun ping`,
  'simple|bulk|nil': `set`,
  'simple|integer': `client|kill`,
  'simple|nil': `hotkeys|stop`,
};
