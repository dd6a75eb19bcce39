/**
 * What scripts/generate-catalog.mjs takes from no server's COMMAND: commands and options of releases that could not be
 * run, the corrections of what servers document wrongly, and what commands answer. Kept by hand; facts only, each from
 * a maintained table: the command files of redis/redis and valkey-io/valkey, the command pages of redis.io and
 * valkey.io, and the package @ioredis/commands 2.1.1. Where they differ, what is nearest to the release stands here.
 */

const key = { name: 'key', type: 'key' };
const integer = (name) => ({ name, type: 'integer' });
const double = (name) => ({ name, type: 'double' });
const string = (name) => ({ name, type: 'string' });
const word = (token, name = token.toLowerCase()) => ({ name, type: 'pure-token', token });
const option = (token, argument) => ({ ...argument, token });
const optional = (argument) => ({ ...argument, optional: true });
const many = (argument) => ({ ...argument, multiple: true });
const block = (name, ...parts) => ({ name, type: 'block', arguments: parts });
const oneof = (name, ...choices) => ({ name, type: 'oneof', arguments: choices });
const since = (version, argument) => ({ ...argument, since: version });

const keyAt = (index, ...flags) => ({ flags, begin: { index }, find: { range: { last: 0, step: 1, limit: 0 } } });
const countedKeys = { flags: ['RO', 'access'], begin: { index: 1 }, find: { keynum: { index: 0, first: 1, step: 1 } } };

const end = (name) => oneof(name, word('LEFT'), word('RIGHT'));
const howMany = optional(
  block(
    'how-many',
    oneof('selector', option('COUNT', integer('count')), option('EXACTLY', integer('exactly'))),
    oneof('ordering', word('OBO'), word('BULK')),
  ),
);
const expiration = oneof(
  'expiration',
  option('EX', integer('seconds')),
  option('PX', integer('milliseconds')),
  option('EXAT', { name: 'unix-time-seconds', type: 'unix-time' }),
  option('PXAT', { name: 'unix-time-milliseconds', type: 'unix-time' }),
  word('PERSIST'),
);

const array = (flags, specs, rest) => ({
  group: 'array',
  category: 'array',
  notRun: { redis: '8.8.0' },
  flags,
  specs,
  ...rest,
});
const reads = [keyAt(1, 'RO', 'access')];
const updates = [keyAt(1, 'RW', 'update')];
const deletes = [keyAt(1, 'RW', 'delete')];
const backup = (flags, summary) => ({
  group: 'server',
  notRun: { redis: '8.10.0' },
  flags,
  arity: 2,
  summary,
  complexity: 'O(1)',
});
const himport = { group: 'hash', category: 'hash', notRun: { redis: '8.10.0' } };
const bless = { group: 'generic', category: 'keyspace', notRun: { redis: '8.12.0' }, complexity: 'O(1)' };
const allShards = ['request_policy:all_shards'];

/**
 * Commands that no surveyed server has, by name. `notRun`: the release of each engine that brought it. `category`: the
 * ACL category beside those that follow from the flags. A server that has the command replaces the entry.
 */
export const commands = {
  arcount: array('readonly fast', reads, {
    arity: 2,
    summary: 'Counts the elements of an array that are set.',
    complexity: 'O(1)',
    grammar: [key],
  }),
  ardel: array('write fast', deletes, {
    arity: -3,
    summary: 'Removes elements of an array by index.',
    complexity: 'O(N), N: indices',
    grammar: [key, many(integer('index'))],
  }),
  ardelrange: array('write', deletes, {
    arity: -4,
    summary: 'Removes the elements of ranges of an array.',
    complexity: 'O(N), N: elements and slices touched',
    grammar: [key, many(block('range', integer('start'), integer('end')))],
  }),
  arget: array('readonly fast', reads, {
    arity: 3,
    summary: 'Returns the element of an array at an index.',
    complexity: 'O(1)',
    grammar: [key, integer('index')],
  }),
  argetrange: array('readonly', reads, {
    arity: 4,
    summary: 'Returns the elements of a range of an array.',
    complexity: 'O(N), N: length of the range',
    grammar: [key, integer('start'), integer('end')],
  }),
  argrep: array('readonly', reads, {
    arity: -6,
    summary: 'Finds elements of a range of an array by their text.',
    complexity: 'O(P*C), P: positions visited, C: cost of the predicates',
    grammar: [
      key,
      string('start'),
      string('end'),
      many(
        oneof(
          'predicate',
          option('EXACT', string('exact')),
          option('MATCH', string('match')),
          option('GLOB', string('pattern')),
          option('RE', string('regex')),
        ),
      ),
      optional(
        many(
          oneof(
            'options',
            word('AND'),
            word('OR'),
            option('LIMIT', integer('limit')),
            word('WITHVALUES'),
            word('NOCASE'),
          ),
        ),
      ),
    ],
  }),
  arinfo: array('readonly', reads, {
    arity: -2,
    summary: 'Describes how an array is stored.',
    complexity: 'O(1); O(N) with FULL, N: slices',
    grammar: [key, optional(word('FULL'))],
  }),
  arinsert: array('write denyoom fast', updates, {
    arity: -3,
    summary: 'Adds elements to an array after the last one inserted.',
    complexity: 'O(N), N: values',
    grammar: [key, many(string('value'))],
  }),
  arlastitems: array('readonly', reads, {
    arity: -3,
    summary: 'Returns the elements of an array that were inserted last.',
    complexity: 'O(N), N: count',
    grammar: [key, integer('count'), optional(word('REV'))],
  }),
  arlen: array('readonly fast', reads, {
    arity: 2,
    summary: 'Returns the highest index of an array plus one.',
    complexity: 'O(1)',
    grammar: [key],
  }),
  armget: array('readonly fast', reads, {
    arity: -3,
    summary: 'Returns elements of an array by index.',
    complexity: 'O(N), N: indices',
    grammar: [key, many(integer('index'))],
  }),
  armset: array('write denyoom fast', updates, {
    arity: -4,
    summary: 'Sets elements of an array by index.',
    complexity: 'O(N), N: pairs',
    grammar: [key, many(block('data', integer('index'), string('value')))],
  }),
  arnext: array('readonly fast', reads, {
    arity: 2,
    summary: 'Returns the index at which the next insertion goes on.',
    complexity: 'O(1)',
    grammar: [key],
  }),
  arop: array('readonly', reads, {
    arity: -5,
    summary: 'Aggregates the elements of a range of an array.',
    complexity: 'O(P), P: positions visited',
    grammar: [
      key,
      integer('start'),
      integer('end'),
      oneof(
        'operation',
        ...['SUM', 'MIN', 'MAX', 'AND', 'OR', 'XOR'].map((token) => word(token)),
        option('MATCH', string('value')),
        word('USED'),
      ),
    ],
  }),
  arring: array('write denyoom', updates, {
    arity: -4,
    summary: 'Adds elements to an array that is kept as a ring of a size.',
    complexity: 'O(M), O(N+M) when the size changes; M: values, N: size',
    grammar: [key, integer('size'), many(string('value'))],
  }),
  arscan: array('readonly', reads, {
    arity: -4,
    summary: 'Returns the elements of a range of an array that are set, with their indices.',
    complexity: 'O(P), P: positions visited',
    grammar: [key, integer('start'), integer('end'), optional(option('LIMIT', integer('limit')))],
  }),
  arseek: array('write fast', updates, {
    arity: 3,
    summary: 'Sets the index at which the next insertion goes on.',
    complexity: 'O(1)',
    grammar: [key, integer('index')],
  }),
  arset: array('write denyoom fast', updates, {
    arity: -4,
    summary: 'Sets elements of an array from an index on.',
    complexity: 'O(N), N: values',
    grammar: [key, integer('index'), many(string('value'))],
  }),
  backup: {
    group: 'server',
    notRun: { redis: '8.10.0' },
    flags: '',
    arity: 2,
    summary: 'A container for commands that back up the data set.',
    complexity: 'Depends on subcommand.',
    subcommands: ['abort', 'cleanup', 'help', 'list', 'seal', 'start', 'status'],
  },
  'backup|abort': backup('admin noscript', 'Gives up a backup that is not sealed.'),
  'backup|cleanup': backup('admin noscript', 'Removes the files of a sealed backup.'),
  'backup|help': backup('loading stale', 'Describes the subcommands.'),
  'backup|list': backup('admin stale', 'Lists the files of the backup so far.'),
  'backup|seal': backup('admin noscript', 'Ends the backup that was started.'),
  'backup|start': backup('admin noscript', 'Starts a backup.'),
  'backup|status': backup('admin stale', 'Returns how far the backup is.'),
  bless: {
    ...bless,
    flags: '',
    category: undefined,
    arity: -2,
    summary: 'A container for commands that protect keys from eviction.',
    complexity: 'Depends on subcommand.',
    subcommands: ['clear', 'get', 'scan', 'set'],
  },
  'bless|clear': {
    ...bless,
    flags: 'write fast',
    arity: 4,
    summary: 'Ends the protection of a key.',
    specs: [keyAt(2, 'RW', 'update')],
    grammar: [key, word('NO-EVICT')],
  },
  'bless|get': {
    ...bless,
    flags: 'fast',
    arity: 3,
    summary: 'Returns the protection of a key.',
    specs: [keyAt(2, 'RO')],
    grammar: [key],
  },
  'bless|scan': {
    ...bless,
    flags: '',
    arity: -4,
    summary: 'Iterates over the protected keys of the database.',
    complexity: 'O(1) for every call; O(N) for all, N: protected keys',
    tips: ['nondeterministic_output', 'request_policy:special', 'response_policy:special'],
    grammar: [integer('cursor'), word('NO-EVICT'), optional(option('COUNT', integer('count')))],
  },
  'bless|set': {
    ...bless,
    flags: 'write denyoom fast',
    arity: 4,
    summary: 'Protects a key from eviction.',
    specs: [keyAt(2, 'RW', 'update')],
    grammar: [key, word('NO-EVICT')],
  },
  blmovem: {
    group: 'list',
    category: 'list',
    notRun: { redis: '8.10.0' },
    flags: 'write denyoom blocking',
    arity: -6,
    summary: 'Moves elements from one list to another, and waits for them where there are none.',
    complexity: 'O(N), N: elements moved',
    specs: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    grammar: [
      { name: 'source', type: 'key' },
      { name: 'destination', type: 'key' },
      end('wherefrom'),
      end('whereto'),
      double('timeout'),
      howMany,
    ],
  },
  himport: {
    ...himport,
    flags: '',
    category: undefined,
    arity: -2,
    summary: 'A container for commands that fill hashes of the same fields.',
    complexity: 'Depends on subcommand.',
    subcommands: ['discard', 'discardall', 'prepare', 'set'],
  },
  'himport|discard': {
    ...himport,
    flags: '',
    arity: 3,
    summary: 'Forgets a set of fields of this connection.',
    complexity: 'O(N), N: sets of fields of the connection',
    tips: allShards,
    grammar: [string('fieldset-name')],
  },
  'himport|discardall': {
    ...himport,
    flags: '',
    arity: 2,
    summary: 'Forgets every set of fields of this connection.',
    complexity: 'O(N), N: sets of fields of the connection',
    tips: allShards,
  },
  'himport|prepare': {
    ...himport,
    flags: 'denyoom',
    arity: -4,
    summary: 'Names a set of fields for this connection.',
    complexity: 'O(N*log(N)), N: fields',
    tips: allShards,
    grammar: [string('fieldset-name'), many(string('field'))],
  },
  'himport|set': {
    ...himport,
    flags: 'write denyoom',
    arity: -5,
    summary: 'Sets a hash to the values of a set of fields.',
    complexity: 'O(N), N: fields',
    specs: [keyAt(2, 'OW', 'update')],
    grammar: [key, string('fieldset-name'), many(string('value'))],
  },
  increx: {
    group: 'string',
    category: 'string',
    notRun: { redis: '8.8.0', valkey: '9.2.0' },
    flags: 'write denyoom fast',
    arity: -2,
    summary: 'Adds to the number of a key within bounds, and sets its expiration.',
    complexity: 'O(1)',
    specs: [keyAt(1, 'RW', 'access', 'update')],
    grammar: [
      key,
      // of Valkey alone
      optional(oneof('condition', word('NX'), word('XX'))),
      optional(oneof('increment', option('BYFLOAT', double('float')), option('BYINT', integer('integer')))),
      optional(option('LBOUND', double('lowerbound'))),
      optional(option('UBOUND', double('upperbound'))),
      optional(word('SATURATE')),
      optional(expiration),
      optional(word('ENX')),
    ],
  },
  lmovem: {
    group: 'list',
    category: 'list',
    notRun: { redis: '8.10.0' },
    flags: 'write denyoom',
    arity: -5,
    summary: 'Moves elements from one list to another.',
    complexity: 'O(N), N: elements moved',
    specs: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    grammar: [
      { name: 'source', type: 'key' },
      { name: 'destination', type: 'key' },
      end('wherefrom'),
      end('whereto'),
      howMany,
    ],
  },
  ...Object.fromEntries(
    ['sdiffcard', 'sunioncard'].map((name) => [
      name,
      {
        group: 'set',
        category: 'set',
        notRun: { redis: '8.10.0' },
        flags: 'readonly movablekeys',
        arity: -3,
        summary: `Counts the members of the ${name.slice(1, -4) === 'diff' ? 'difference' : 'union'} of sets.`,
        complexity: 'O(N), N: members of all the sets',
        specs: [countedKeys],
        grammar: [integer('numkeys'), many(key), optional(word('APPROX')), optional(option('LIMIT', integer('limit')))],
      },
    ]),
  ),
  xnack: {
    group: 'stream',
    category: 'stream',
    notRun: { redis: '8.8.0' },
    flags: 'write fast',
    arity: -7,
    summary: 'Gives pending entries of a consumer group back to the group.',
    complexity: 'O(1) for each entry',
    specs: updates,
    grammar: [
      key,
      string('group'),
      oneof('mode', word('SILENT'), word('FAIL'), word('FATAL')),
      option('IDS', block('ids', integer('numids'), many(string('id')))),
      optional(option('RETRYCOUNT', integer('count'))),
      optional(word('FORCE')),
    ],
  },
};

const most = ['maxcount', 'maxsize'].map((name) =>
  since('8.10.0', optional(option(name.toUpperCase(), integer(name)))),
);
const sumOfCounts = [since('8.8.0', word('COUNT'))];

/**
 * Options of releases that no surveyed server is: those to put after the argument of that name, or among its choices.
 * An option that a server has already stays as the server says.
 */
export const options = [
  ...['xread', 'xreadgroup'].map((command) => ({ command, after: 'count', add: most })),
  ...['zinter', 'zinterstore', 'zunion', 'zunionstore'].map((command) => ({
    command,
    among: 'aggregate',
    add: sumOfCounts,
  })),
];

/** The release that brought an option, where COMMAND DOCS leaves it out (the history of its command has it). */
export const optionSince = {
  bitop: { DIFF: '8.2.0', DIFF1: '8.2.0', ANDOR: '8.2.0', ONE: '8.2.0' },
  xadd: { KEEPREF: '8.2.0', DELREF: '8.2.0', ACKED: '8.2.0', IDMPAUTO: '8.6.0', IDMP: '8.6.0' },
  xreadgroup: { CLAIM: '8.4.0' },
};

const vector = (...first) =>
  oneof(
    'format',
    ...first,
    option('FP32', string('vector')),
    option('VALUES', block('values', integer('numvalues'), many(double('value')))),
  );

/** Grammars that servers document otherwise than they parse: vectors are counted, options of a trim come in any order. */
export const corrected = {
  vadd: [
    key,
    optional(option('REDUCE', integer('dim'))),
    vector(),
    string('element'),
    optional(word('CAS')),
    optional(oneof('quant-type', word('NOQUANT'), word('BIN'), word('Q8'))),
    optional(option('EF', integer('build-exploration-factor'))),
    optional(option('SETATTR', string('attributes'))),
    optional(option('M', integer('numlinks'))),
  ],
  vsim: [
    key,
    vector(option('ELE', string('element'))),
    optional(word('WITHSCORES')),
    optional(word('WITHATTRIBS')),
    optional(option('COUNT', integer('count'))),
    optional(option('EPSILON', double('max-distance'))),
    optional(option('EF', integer('search-exploration-factor'))),
    optional(option('FILTER', string('expression'))),
    optional(option('FILTER-EF', integer('max-filtering-effort'))),
    optional(word('TRUTH')),
    optional(word('NOTHREAD')),
  ],
  xtrim: [
    key,
    block(
      'trim',
      oneof('strategy', word('MAXLEN'), since('6.2.0', word('MINID'))),
      optional(oneof('operator', word('=', 'equal'), word('~', 'approximately'))),
      string('threshold'),
    ),
    since('6.2.0', optional(option('LIMIT', integer('count')))),
    since('8.2.0', optional(oneof('condition', word('KEEPREF'), word('DELREF'), word('ACKED')))),
  ],
};

/** Types of arguments, by name, that servers document otherwise than they parse. */
export const correctedTypes = {
  // a double on every version
  zincrby: { increment: 'double' },
  // sixteen hexadecimal digits
  set: { 'ifdeq-digest': 'string', 'ifdne-digest': 'string' },
  delex: { 'ifdeq-digest': 'string', 'ifdne-digest': 'string' },
};
