#!/usr/bin/env node
// Writes src/catalog/commands.generated.json from real servers: node scripts/generate-catalog.mjs SERVER...
// SERVER is the path of a redis-server or valkey-server binary; each is started on a free loopback port, asked COMMAND,
// COMMAND DOCS and INFO, and stopped. Facts come from the newest Redis that has the command, else from the newest
// Valkey or redict; grammars are united, so that what any of the servers accepts is in the table. What no server says
// comes from catalog-facts.mjs and catalog-replies.mjs beside this file.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commands, corrected, correctedTypes, optionSince, options } from './catalog-facts.mjs';
import { replies } from './catalog-replies.mjs';

const output = fileURLToPath(new URL('../src/catalog/commands.generated.json', import.meta.url));
// HTTP words that Redis 6.0 lists as commands: they only cut the connection of a browser that was lured here
const traps = ['host:', 'post'];
const binaries = process.argv.slice(2);
if (binaries.length === 0) {
  console.error('usage: node scripts/generate-catalog.mjs SERVER...');
  process.exit(2);
}

const surveys = [];
for (const binary of binaries) surveys.push(await survey(binary));
// from the least to the most trusted: older before newer, Valkey before Redis
surveys.sort((a, b) => engineRank(a) - engineRank(b) || compareVersions(a.version, b.version));
const table = surveys.reduce((known, one) => mergeSurvey(known, one), new Map());
addCommands();
addOptions();
correct();
addReplies();
const servers = surveys.map((one) => one.server).sort();
const lines = [...table.values()]
  .map(written)
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map((entry) => JSON.stringify(entry));
writeFileSync(output, `{"servers":${JSON.stringify(servers)},"commands":[\n${lines.join(',\n')}\n]}\n`);
console.error(`${lines.length} commands from ${servers.join(', ')} -> ${output}`);

/** Starts one server, asks it, stops it. */
async function survey(binary) {
  const dir = mkdtempSync(join(tmpdir(), 'redops-catalog-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
  const server = spawn(binary, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  try {
    const connection = await connectWithin(port, 10_000, () => server.exitCode);
    const info = Object.fromEntries(
      String(await connection.ask('INFO', 'server'))
        .split('\r\n')
        .filter((line) => line.includes(':'))
        .map((line) => line.split(/:(.*)/s)),
    );
    const listed = await connection.ask('COMMAND');
    const docs = await connection.ask('COMMAND', 'DOCS');
    connection.end();
    const engine = ['valkey', 'redict'].find((name) => info[`${name}_version`]) ?? 'redis';
    const version = info[`${engine}_version`];
    // before 7.0, COMMAND ignores the word DOCS or answers with an error
    const known = compareVersions(info.redis_version, '7.0.0') >= 0;
    return { engine, version, server: `${engine} ${version}`, listed, docs: known ? pairs(docs) : {} };
  } finally {
    server.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Commands of releases that no surveyed server is; a server that has one of them has said better. */
function addCommands() {
  for (const [name, { flags, category, specs = [], notRun, ...facts }] of Object.entries(commands)) {
    if (table.has(name)) continue;
    const words = flags === '' ? [] : flags.split(' ').sort();
    const entry = { name, flags: words, categories: categoriesOf(words, category), keySpecs: specs, ...facts };
    table.set(name, { ...entry, since: Object.values(notRun)[0], notRun, seenOn: [], saidBy: {} });
    const [container, subcommand] = name.split('|');
    const parent = subcommand === undefined ? undefined : table.get(container);
    if (parent?.subcommands?.includes(subcommand) === false)
      parent.subcommands = [...parent.subcommands, subcommand].sort();
  }
}

/** The ACL categories that follow from the flags, and the one that does not. */
function categoriesOf(flags, category) {
  const implied = { write: ['write'], readonly: ['read'], admin: ['admin', 'dangerous'], blocking: ['blocking'] };
  const speed = flags.includes('fast') ? 'fast' : 'slow';
  return [...flags.flatMap((flag) => implied[flag] ?? []), speed, ...(category === undefined ? [] : [category])].sort();
}

/** Options of releases that no surveyed server is, unless one has them. */
function addOptions() {
  for (const { command, after, among, add } of options) {
    const { grammar } = table.get(command);
    const missing = add.filter(({ token }) => !tokensOf(grammar).includes(token));
    if (among !== undefined) grammar.find(({ name }) => name === among).arguments.push(...missing);
    else grammar.splice(grammar.findIndex(({ name }) => name === after) + 1, 0, ...missing);
  }
}

function tokensOf(grammar) {
  return (grammar ?? []).flatMap(({ token, arguments: parts }) => [token, ...tokensOf(parts)]);
}

/** Notes when an option came, where its server leaves it out. */
function dated(grammar, versions) {
  return grammar?.map((argument) => {
    const since = argument.since ?? versions[argument.token];
    const parts = dated(argument.arguments, versions);
    return { ...argument, ...(since && { since }), ...(parts && { arguments: parts }) };
  });
}

function retyped(grammar, types) {
  return grammar?.map((argument) => {
    const parts = retyped(argument.arguments, types);
    return { ...argument, type: types[argument.name] ?? argument.type, ...(parts && { arguments: parts }) };
  });
}

/** What the servers document otherwise than they parse. */
function correct() {
  for (const [name, grammar] of Object.entries(corrected)) table.get(name).grammar = grammar;
  for (const [name, types] of Object.entries(correctedTypes))
    table.get(name).grammar = retyped(table.get(name).grammar, types);
  for (const [name, versions] of Object.entries(optionSince))
    table.get(name).grammar = dated(table.get(name).grammar, versions);
}

/** What each command answers; a name that the table does not have is a mistake in the list. */
function addReplies() {
  for (const [shape, names] of Object.entries(replies)) {
    for (const name of names.trim().split(/\s+/)) {
      if (!table.has(name)) throw new Error(`replies: no command is called ${name}`);
      table.get(name).reply = shape;
    }
  }
}

/** Adds what one server says to what is known; the later server wins except for what it does not say. */
function mergeSurvey(known, { server, listed, docs }) {
  const merged = new Map(known);
  const add = (reply, doc) => {
    const found = entryOf(reply, doc);
    const { name } = found.facts;
    if (traps.includes(name)) return;
    merged.set(name, mergeEntry(merged.get(name), found, server));
    const subDocs = pairs(doc.subcommands);
    for (const sub of reply[9] ?? []) add(sub, pairs(subDocs[sub[0]]));
  };
  for (const reply of listed) add(reply, pairs(docs[reply[0]]));
  return merged;
}

/** One entry from a COMMAND reply and its COMMAND DOCS; members without content are left out to keep the file small. */
function entryOf(reply, doc) {
  const [name, arity, flags, first, last, step, categories, tips, keySpecs, subcommands] = reply;
  const facts = {
    name: name.toLowerCase(),
    arity,
    flags: [...flags].sort(),
    categories: (categories ?? []).map((category) => category.slice(1)).sort(),
    keySpecs: keySpecs ? keySpecs.map(keySpecOf) : legacyKeySpecs(first, last, step, flags),
    tips: tips ?? [],
  };
  const described = {
    summary: doc.summary,
    since: doc.since,
    group: doc.group,
    complexity: doc.complexity,
    deprecatedSince: doc.deprecated_since,
    replacedBy: doc.replaced_by,
    grammar: doc.arguments?.map(argumentOf),
  };
  const names = (subcommands ?? []).map((sub) => sub[0].slice(name.length + 1)).sort();
  return { facts, described: withoutEmpty(described), subcommands: names, modern: keySpecs !== undefined };
}

/** The union of two entries: the facts of the more trusted server, every option of both, and where servers differ. */
function mergeEntry(old, found, server) {
  const { facts, described, subcommands, modern } = found;
  const older = old ?? { seenOn: [], modern };
  // a server before 7.0 knows neither key specs, tips nor DOCS, and its containers carry their subcommands' flags
  const trusted = modern || !older.modern ? facts : {};
  return {
    ...older,
    ...trusted,
    ...described,
    arity: widest(
      older.modern === modern ? older.arity : undefined,
      modern || !older.modern ? facts.arity : older.arity,
    ),
    since: earliest(older.since, described.since),
    grammar: uniteGrammars(described.grammar, older.grammar, facts.name),
    subcommands: [...new Set([...(older.subcommands ?? []), ...subcommands])].sort(),
    seenOn: [...older.seenOn, server],
    saidBy: { ...older.saidBy, [server]: { arity: facts.arity, flags: facts.flags } },
    modern: modern || older.modern,
  };
}

/** The entry as it is written: servers by their place in the list, and what single ones say only where it is not what the table says. */
function written({ modern: _, saidBy, name, arity, ...rest }) {
  const entry = { name, arity, ...rest };
  const differs = {};
  for (const [server, said] of Object.entries(saidBy)) {
    const arity = said.arity === entry.arity ? undefined : said.arity;
    const flags = said.flags.join() === entry.flags.join() ? undefined : said.flags;
    if (arity !== undefined || flags !== undefined) differs[server] = { arity, flags };
  }
  const kept = withoutEmpty({
    ...entry,
    seenOn: servers.flatMap((server, place) => (entry.seenOn.includes(server) ? [place] : [])),
  });
  return Object.keys(differs).length === 0 ? kept : { ...kept, differs };
}

/** The arity that admits what either admits: exact ones stay exact when they agree. */
function widest(a, b) {
  if (a === undefined || a === b) return b;
  return -Math.min(Math.abs(a), Math.abs(b));
}

function keySpecOf(raw) {
  const spec = pairs(raw);
  const begin = pairs(spec.begin_search);
  const find = pairs(spec.find_keys);
  const beginSpec = begin.type === 'unknown' ? undefined : pairs(begin.spec);
  const findSpec = find.type === 'unknown' ? undefined : pairs(find.spec);
  return {
    flags: spec.flags,
    begin:
      begin.type === 'index'
        ? { index: beginSpec.index }
        : begin.type === 'keyword'
          ? { keyword: beginSpec.keyword, from: beginSpec.startfrom }
          : { unknown: true },
    find:
      find.type === 'range'
        ? { range: { last: findSpec.lastkey, step: findSpec.keystep, limit: findSpec.limit } }
        : find.type === 'keynum'
          ? { keynum: { index: findSpec.keynumidx, first: findSpec.firstkey, step: findSpec.keystep } }
          : { unknown: true },
  };
}

/** Key positions of a server before 7.0. */
function legacyKeySpecs(first, last, step, flags) {
  if (first === 0) return [];
  const range = { last: last < 0 ? last : last - first, step, limit: 0 };
  return [{ flags: flags.includes('write') ? ['RW'] : ['RO'], begin: { index: first }, find: { range } }];
}

function argumentOf(raw) {
  const { name, type, token, since, flags = [], arguments: parts } = pairs(raw);
  const argument = withoutEmpty({
    name: name.replaceAll('_', '-'),
    type,
    token,
    since,
    optional: flags.includes('optional') || undefined,
    multiple: flags.includes('multiple') || undefined,
    multiple_token: flags.includes('multiple_token') || undefined,
    arguments: parts?.map(argumentOf),
  });
  // a block of one is that one
  if (type !== 'block' || parts.length !== 1 || token !== undefined) return argument;
  return { ...argument.arguments[0], ...withoutEmpty({ optional: argument.optional, multiple: argument.multiple }) };
}

/** The union of two argument lists; where they cannot be aligned, both stand as alternatives of one `oneof`. */
function uniteGrammars(a, b, name) {
  if (a === undefined || b === undefined) return a ?? b;
  return uniteLists(a, b) ?? alternatives(a, b, name);
}

function alternatives(a, b, name) {
  console.error(`${name}: grammars kept as alternatives`);
  const variants = (list) => (list.length === 1 && list[0].name === 'variant' ? list[0].arguments : [block(list)]);
  return [{ name: 'variant', type: 'oneof', arguments: [...variants(a), ...variants(b)] }];
}

function block(list) {
  return { name: 'variant', type: 'block', arguments: list };
}

/** Sequences: an argument that one side lacks must be optional; undefined when the lists cannot be aligned. */
function uniteLists(a, b) {
  const united = [];
  let rest = b;
  for (const argument of a) {
    const at = rest.findIndex((other) => sameArgument(argument, other));
    const skipped = at < 0 ? [] : rest.slice(0, at);
    if (!skipped.every((other) => other.optional) || (at < 0 && !argument.optional)) return undefined;
    united.push(...skipped);
    if (at < 0) {
      united.push(argument);
      continue;
    }
    const both = uniteArguments(argument, rest[at]);
    if (both === undefined) return undefined;
    united.push(both);
    rest = rest.slice(at + 1);
  }
  if (!rest.every((other) => other.optional)) return undefined;
  return withoutRepeats([...united, ...rest]);
}

/** What one server lists as options, another as the choices of one: then the choice is enough. */
function withoutRepeats(list) {
  const choices = list.filter(({ type, token }) => type === 'oneof' && token === undefined);
  const offered = choices.flatMap(({ arguments: parts }) => parts.flatMap(({ token }) => token ?? []));
  return list.filter((one) => choices.includes(one) || !one.optional || !offered.includes(one.token));
}

function uniteArguments(a, b) {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  const widened = withoutEmpty({
    ...a,
    type: widerType(a, b),
    since: earliest(a.since, b.since),
    optional: a.optional || b.optional || undefined,
    multiple: a.multiple || b.multiple || undefined,
    multiple_token: a.multiple_token || b.multiple_token || undefined,
  });
  // one side lists the words (BITOP) or has a further form (CLUSTER REPLICATE) where the other says only "string"
  if (!a.arguments || !b.arguments) return withoutEmpty({ ...widened, arguments: a.arguments ?? b.arguments });
  const parts = a.type === 'oneof' ? uniteChoices(a.arguments, b.arguments) : uniteLists(a.arguments, b.arguments);
  return parts && { ...widened, arguments: parts };
}

function widerType(a, b) {
  if (a.type === b.type) return a.type;
  return a.arguments ? a.type : b.arguments ? b.type : 'string';
}

function uniteChoices(a, b) {
  const extra = b.filter((other) => !a.some((choice) => sameArgument(choice, other)));
  const common = a.map((choice) => {
    const other = b.find((candidate) => sameArgument(choice, candidate));
    return other ? uniteArguments(choice, other) : choice;
  });
  return common.includes(undefined) ? undefined : [...common, ...extra];
}

/** True when two arguments stand for the same thing under whatever name: same token, or same shape without one. */
function sameArgument(a, b) {
  if ((a.token ?? '') !== (b.token ?? '')) return false;
  if (a.type === 'oneof' && b.type === 'oneof') return a.token !== undefined || sameChoices(a, b);
  if (a.type === 'oneof' && b.type === 'string') return a.name === b.name || containsLeaf(a, b);
  if (a.type === 'string' && b.type === 'oneof') return sameArgument(b, a);
  if (a.arguments || b.arguments) return a.type === b.type && uniteArguments(a, b) !== undefined;
  const plain = (argument) => argument.type !== 'key' && argument.type !== 'pure-token';
  return a.type === b.type || (plain(a) && plain(b));
}

function sameChoices(a, b) {
  const words = new Set(a.arguments.flatMap((choice) => choice.token ?? []));
  if (a.name === b.name || b.arguments.some((choice) => words.has(choice.token))) return true;
  const shape = (argument) => argument.arguments.map((choice) => `${choice.type} ${choice.token ?? ''}`).join();
  return shape(a) === shape(b);
}

function containsLeaf(choice, leaf) {
  return choice.arguments.some((one) => !one.arguments && one.token === undefined && one.name === leaf.name);
}

/** A RESP2 connection: one question at a time. */
async function connectWithin(port, ms, exited) {
  for (const end = Date.now() + ms; ; ) {
    try {
      const connection = await open(port);
      await connection.ask('PING');
      return connection;
    } catch (cause) {
      if (Date.now() > end || exited() !== null) throw new Error('the server did not start', { cause });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    let waiting;
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const found = waiting && decode(received, 0);
      if (!found) return;
      received = received.subarray(found.next);
      waiting(found.value);
      waiting = undefined;
    });
    socket.once('connect', () => {
      resolve({
        ask: (...argv) =>
          new Promise((answer, fail) => {
            waiting = answer;
            socket.once('close', () => fail(new Error('connection closed')));
            const words = argv.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
            socket.write(`*${argv.length}\r\n${words.join('')}`);
          }),
        end: () => socket.destroy(),
      });
    });
  });
}

/** One RESP2 value from `at`, or undefined while it is incomplete. */
function decode(bytes, at) {
  const end = bytes.indexOf('\r\n', at);
  if (end < 0) return undefined;
  const text = bytes.toString('utf8', at + 1, end);
  const next = end + 2;
  const mark = String.fromCharCode(bytes[at]);
  if (mark === '+') return { value: text, next };
  if (mark === '-') return { value: { error: text }, next };
  if (mark === ':') return { value: Number(text), next };
  const length = Number(text);
  if (mark === '$') {
    if (length < 0) return { value: null, next };
    if (bytes.length < next + length + 2) return undefined;
    return { value: bytes.toString('utf8', next, next + length), next: next + length + 2 };
  }
  if (mark !== '*') throw new Error(`unexpected reply mark ${mark}`);
  const items = [];
  let position = next;
  for (let i = 0; i < length; i += 1) {
    const item = decode(bytes, position);
    if (!item) return undefined;
    items.push(item.value);
    position = item.next;
  }
  return { value: items, next: position };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** [name, value, ...] as an object. */
function pairs(flat) {
  if (flat === undefined || flat === null || !Array.isArray(flat)) return flat ?? {};
  const entries = [];
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i], flat[i + 1]]);
  return Object.fromEntries(entries);
}

function withoutEmpty(record) {
  const kept = Object.entries(record).filter(
    ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(kept);
}

function earliest(a, b) {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) <= 0 ? a : b;
}

function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i += 1) {
    if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) - (right[i] ?? 0);
  }
  return 0;
}

function engineRank({ engine }) {
  return engine === 'redis' ? 1 : 0;
}
