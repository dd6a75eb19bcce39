/**
 * Prices a draft on the facts of its target: keys, elements, server time, bytes, round trips, duration. Pure, and total:
 * every number is finite and not negative, whatever the facts say.
 */
import { assertNever } from '../base/assert.ts';
import { type Bytes, byteLength, bytesId } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { keysOf } from '../catalog/keys.ts';
import type { Estimate } from '../plan/estimate.ts';
import { readsPerKey, selectionId } from '../plan/filters.ts';
import { leftBehind } from '../plan/left-behind.ts';
import { type Draft, sampledCommands } from '../plan/plan.ts';
import type { ForEachStep, ScanStep, Selection, Step, StreamStep, TransactionStep } from '../plan/step.ts';
import type { KeyFacts, SelectionFacts, Target } from '../plan/target.ts';
import type { Argument } from '../plan/values.ts';
import { argvOf } from './arguments.ts';
import { type CommandCost, commandCost, type Facts, sum } from './command-cost.ts';
import { defaultCosts } from './default-costs.ts';
import { scanArgv } from './planned-commands.ts';
import { bulkBytes, commandBytes } from './resp-bytes.ts';
import { about, addTimes, type Micros, times } from './server-time.ts';
import { commandMicros, scanVisit } from './unit-costs.ts';

/** The price of a draft: the estimate, the elements the server touches, the round trips. A script's own work is not known: it counts one element for each of its keys. */
export function estimate(
  draft: Draft,
  target: Target,
): { readonly estimate: Estimate; readonly estimated_ops: number; readonly round_trips: number } {
  const facts = factsOf(target);
  const prices = draft.steps.map((step) => priceOf(step, draft, target, facts));
  const total = (of: (price: Price) => number) => whole(prices.reduce((all, price) => all + of(price), 0));
  const time = times(addTimes(prices.map((price) => price.time)), 1 / 1000);
  const server_ms = finite(time.expected);
  const round_trips = total((price) => price.round_trips);
  const commands = prices.reduce((all, price) => all + price.paced, 0);
  const { rate } = draft.request.limits;
  const network = round_trips * target.server.round_trip_ms + server_ms;
  return {
    estimate: {
      keys: total((price) => price.keys),
      basis: basisOf(prices),
      low: total((price) => price.low),
      high: total((price) => price.high),
      server_ms: rounded(server_ms),
      server_ms_low: rounded(time.low),
      server_ms_high: rounded(time.high),
      costs: facts.costs.basis,
      bytes_out: total((price) => price.bytes_out),
      bytes_in: total((price) => price.bytes_in),
      duration_ms: rounded(Math.max(network, rate === undefined ? 0 : (commands / rate) * 1000)),
    },
    estimated_ops: total((price) => price.elements),
    round_trips,
  };
}

interface Price {
  readonly keys: number;
  readonly low: number;
  readonly high: number;
  readonly basis: Estimate['basis'];
  readonly elements: number;
  readonly time: Micros;
  readonly bytes_out: number;
  readonly bytes_in: number;
  readonly round_trips: number;
  /** Commands that the rate limit counts. */
  readonly paced: number;
}

function priceOf(step: Step, draft: Draft, target: Target, facts: Facts): Price {
  switch (step.kind) {
    case 'command':
      return commandsPrice([step.argv], 1, facts);
    case 'pipeline': {
      const trips = Math.ceil(step.steps.length / pacedBatch(step.batch_size, draft));
      return commandsPrice(argvsOf(step.steps), trips, facts);
    }
    case 'transaction':
      return transactionPrice(step, facts);
    case 'script':
      return scriptPrice(step, target, facts);
    case 'scan':
      return scanPrice(step, target, facts);
    case 'for_each':
      return jobPrice(step, draft, target, facts);
    case 'stream':
      return streamPrice(step, draft, target, facts);
    default:
      return assertNever(step);
  }
}

function commandsPrice(commands: readonly (readonly Argument[])[], round_trips: number, facts: Facts): Price {
  const argvs = commands.map((argv) => argvOf(argv));
  const cost = sum(argvs.map((argv) => commandCost(argv, facts)));
  return {
    ...counted(distinctKeys(argvs)),
    elements: cost.elements,
    time: cost.time,
    bytes_out: argvs.reduce((bytes, argv) => bytes + commandBytes(argv), 0),
    bytes_in: cost.reply_bytes,
    round_trips,
    paced: commands.length,
  };
}

/** WATCH and the reads share a packet, MULTI to EXEC another; a conflict repeats both and is not foreseen. */
function transactionPrice(step: TransactionStep, facts: Facts): Price {
  if (step.native) return commandsPrice([step.native.argv], 1, facts);
  const watched = step.watch.length > 0 || step.reads.length > 0;
  const commands = [...argvsOf(step.reads.map((read) => read.command)), ...argvsOf(step.steps)];
  const price = commandsPrice(commands, watched ? 2 : 1, facts);
  const frame = [['MULTI'], ['EXEC'], ...(step.watch.length === 0 ? [] : [['WATCH', ...step.watch]])];
  return {
    ...price,
    time: addTimes([price.time, simple(frame.length)]),
    bytes_out: price.bytes_out + frame.reduce((bytes, argv) => bytes + commandBytes(argv), 0),
    // +OK of MULTI and WATCH, +QUEUED for each command, the header of EXEC's array
    bytes_in: price.bytes_in + frame.length * 5 + step.steps.length * 9,
  };
}

/** One call where the server has the script, else the refused call, SCRIPT LOAD and the call again. */
function scriptPrice(step: Extract<Step, { kind: 'script' }>, target: Target, facts: Facts): Price {
  const known = target.scripts.includes(step.sha1);
  const call = commandBytes(['EVALSHA', step.sha1, String(step.keys.length), ...step.keys, ...step.args]);
  const load = commandBytes(['SCRIPT', 'LOAD', step.source]);
  const keys = new Set(step.keys.map((key) => bytesId(key))).size;
  const elements = step.keys.reduce((all, key) => all + (facts.of(key)?.exists === false ? 0 : 1), 0);
  return {
    ...counted(keys),
    elements: Math.max(1, elements),
    time: about(10 * commandMicros, 3),
    bytes_out: known ? call : 2 * call + load,
    bytes_in: known ? 16 : 16 + 60 + bulkBytes(40),
    round_trips: known ? 1 : 3,
    paced: 1,
  };
}

function scanPrice(step: ScanStep, target: Target, facts: Facts): Price {
  const found = selectionOf(step.selection, target);
  const limit = step.limit ?? Number.POSITIVE_INFINITY;
  const keys = Math.min(found.keys, limit);
  // a limited listing ends early: it visits the part of the keyspace that holds so many matches
  const part = found.keys > limit ? limit / found.keys : 1;
  const visited = Math.ceil(target.server.keys * part);
  const scan = scanningPrice(step.selection, step.count, visited, keys, found, facts);
  const listed = {
    ...scan,
    keys,
    low: Math.min(found.low, limit),
    high: Math.min(found.high, limit),
    basis: found.basis,
  };
  if (step.export) return exportPrice(listed, found);
  if (step.collect === 'keys') return listed;
  return {
    ...listed,
    elements: scan.elements + keys,
    time: addTimes([scan.time, simple(keys)]),
    bytes_out: scan.bytes_out + keys * commandBytes(['PTTL', 'x'.repeat(keyLength(found))]),
    bytes_in: scan.bytes_in + keys * 12,
    round_trips: scan.round_trips + Math.min(scan.round_trips, keys),
    paced: scan.paced + keys,
  };
}

/** Reading the values: the mean of the sampled keys, for as many as there are. */
function exportPrice(listed: Price, found: SelectionFacts): Price {
  const mean = (of: (sample: KeyFacts) => number): number =>
    found.samples.length === 0 ? 1 : found.samples.reduce((all, sample) => all + of(sample), 0) / found.samples.length;
  const elements = mean((sample) => (sample.type === 'string' ? 1 : (sample.elements ?? 1)));
  const bytes = mean((sample) => sample.bytes ?? 64);
  const { keys } = listed;
  const perKey = commandBytes(['PEXPIRETIME', 'x'.repeat(keyLength(found))]);
  return {
    ...listed,
    elements: listed.elements + Math.ceil(keys * elements),
    time: addTimes([listed.time, simple(keys * 4), about(keys * elements * 0.1, 3)]),
    bytes_out: listed.bytes_out + keys * 4 * perKey,
    bytes_in: listed.bytes_in + Math.ceil(keys * bytes),
    round_trips: listed.round_trips + 3 * Math.ceil(keys / 100),
    paced: listed.paced + keys * 4,
  };
}

/** The job, and where the request asks for it the look at its end. */
function jobPrice(step: ForEachStep, draft: Draft, target: Target, facts: Facts): Price {
  const job = actingPrice(step, draft, target, facts);
  const left = draft.request.operation_type === 'batch' && draft.request.verify === true ? leftBehind(step) : undefined;
  if (left === undefined) return job;
  const found = selectionOf(step.selection, target);
  // what is deleted is not met again; the TTL of every other key is asked for
  const met = left.ttl === undefined ? 0 : found.keys;
  const look = found.listed
    ? readingPrice({ ...step, selection: left }, found)
    : scanningPrice(left, step.count, target.server.keys, met, found, facts);
  return {
    ...job,
    elements: job.elements + look.elements,
    time: addTimes([job.time, look.time]),
    bytes_out: job.bytes_out + look.bytes_out,
    bytes_in: job.bytes_in + look.bytes_in,
    round_trips: job.round_trips + look.round_trips,
    paced: job.paced + look.paced,
  };
}

function actingPrice(step: ForEachStep, draft: Draft, target: Target, facts: Facts): Price {
  const found = selectionOf(step.selection, target);
  const visited = found.listed?.keys ?? target.server.keys;
  const scan = found.listed
    ? readingPrice(step, found)
    : scanningPrice(step.selection, step.count, visited, found.keys, found, facts);
  const each = eachKey(step.do.argv, found, facts);
  const pages = Math.max(1, Math.ceil(visited / step.count));
  const perPage = found.keys / pages;
  const batch = pacedBatch(step.batch_size, draft);
  const batches = perPage < 1 ? Math.min(pages, found.keys) : pages * Math.ceil(perPage / batch);
  return {
    keys: found.keys,
    low: found.low,
    high: found.high,
    basis: found.basis,
    elements: scan.elements + Math.ceil(found.keys * each.elements),
    time: addTimes([scan.time, times(each.time, found.keys)]),
    bytes_out: scan.bytes_out + found.keys * commandBytes(argvOf(step.do.argv, 'x'.repeat(keyLength(found)))),
    bytes_in: scan.bytes_in + Math.ceil(found.keys * each.reply_bytes),
    round_trips: scan.round_trips + batches,
    paced: found.keys + (found.listed ? scan.paced : scan.paced - pages),
  };
}

/** The mean price of the commands that were read, for as many as the file holds. Its own bytes are what is known of the rest. */
function streamPrice(step: StreamStep, draft: Draft, target: Target, facts: Facts): Price {
  const source = target.sources?.find(({ path }) => path === step.source.path);
  const sampled = sampledCommands({ steps: [step] }, target);
  const read = commandsPrice(
    sampled.map(({ argv }) => [...argv]),
    0,
    facts,
  );
  const commands = source?.commands ?? sampled.length;
  const scale = sampled.length === 0 ? 0 : Math.max(1, commands / sampled.length);
  const most = sampled.reduce((keys, { argv }) => Math.max(keys, keysOf(argv)?.length ?? 1), 0);
  const later = Math.max(0, (source?.high ?? commands) - sampled.length) * Math.max(1, most);
  return {
    keys: Math.ceil(read.keys * scale),
    low: read.keys,
    high: read.keys + later,
    basis: later === 0 ? 'counted' : 'bound',
    elements: read.elements * scale,
    time: times(read.time, scale),
    bytes_out: read.bytes_out * scale,
    bytes_in: read.bytes_in * scale,
    round_trips: Math.ceil(commands / pacedBatch(draft.batch_size, draft)),
    paced: commands,
  };
}

/** The mean price of the job's command over the sampled keys; that of an unknown key when there are none. */
export function eachKey(argv: readonly Argument[], found: SelectionFacts, facts: Facts): CommandCost {
  if (found.samples.length === 0) return commandCost(argvOf(argv), facts);
  const samples = new Map(found.samples.map((sample) => [bytesId(sample.key), sample]));
  const sampled: Facts = { ...facts, of: (key) => samples.get(bytesId(key)) };
  const cost = sum(found.samples.map((sample) => commandCost(argvOf(argv, sample.key), sampled)));
  const count = found.samples.length;
  return {
    ...cost,
    elements: cost.elements / count,
    time: times(cost.time, 1 / count),
    reply_bytes: cost.reply_bytes / count,
  };
}

/** SCAN over `visited` keys; with every page redops asks INFO server and TIME in the same packet, then what the filters need of the keys that it gave. */
function scanningPrice(
  selection: Selection,
  count: number,
  visited: number,
  matched: number,
  found: SelectionFacts,
  facts: Facts,
): Price {
  const pages = Math.max(1, Math.ceil(visited / count));
  const call =
    commandBytes(argvOf(scanArgv(selection, count))) + commandBytes(['INFO', 'server']) + commandBytes(['TIME']);
  const infoReply = 600;
  const keyBytes = keyLength(found);
  const given = Math.max(matched, found.candidates ?? 0);
  const reads = given * readsPerKey(selection);
  return {
    ...counted(matched),
    elements: Math.max(1, visited) + reads,
    time: addTimes([times(scanVisit(facts), visited), simple(pages * 3 + reads)]),
    bytes_out: pages * call + reads * commandBytes(['MEMORY', 'x'.repeat(keyBytes)]),
    bytes_in: pages * (infoReply + 64) + given * bulkBytes(keyBytes) + reads * 12,
    round_trips: pages * (1 + packetsOf(selection)),
    paced: pages + reads,
  };
}

/** What the filters need of the keys of a file; nothing is scanned. */
function readingPrice({ selection, count }: ForEachStep, found: SelectionFacts): Price {
  const asked = found.listed?.keys ?? found.keys;
  const reads = asked * readsPerKey(selection);
  const keyBytes = keyLength(found);
  return {
    ...counted(found.keys),
    elements: reads,
    time: simple(reads),
    bytes_out: reads * commandBytes(['MEMORY', 'x'.repeat(keyBytes)]),
    bytes_in: reads * 12,
    round_trips: reads === 0 ? 0 : Math.ceil(asked / count) * packetsOf(selection),
    paced: reads,
  };
}

/** Packets a page that the filters need: sizes come after types that are not known. */
function packetsOf(selection: Selection): number {
  if (readsPerKey(selection) === 0) return 0;
  return selection.size !== undefined && selection.type === undefined ? 2 : 1;
}

/** The facts of a selection; where it was not inspected, what the number of keys bounds. */
export function selectionOf(selection: Selection, target: Target): SelectionFacts {
  const id = selectionId(selection);
  const found = target.selections.find((facts) => selectionId(facts.selection) === id);
  const { keys } = target.server;
  return (
    found ?? { selection, basis: 'bound', keys, low: 0, high: keys, visited: 0, samples: [], with_ttl: 0, largest: 0 }
  );
}

function keyLength(found: SelectionFacts): number {
  if (found.samples.length === 0) return byteLength(found.selection.match) + 8;
  const total = found.samples.reduce((all, sample) => all + byteLength(sample.key), 0);
  return Math.round(total / found.samples.length);
}

function counted(keys: number): Pick<Price, 'keys' | 'low' | 'high' | 'basis'> {
  return { keys, low: keys, high: keys, basis: 'counted' };
}

/** The weakest basis of all: a sum is only as good as its worst part. */
function basisOf(prices: readonly Price[]): Estimate['basis'] {
  if (prices.some((price) => price.basis === 'bound')) return 'bound';
  return prices.some((price) => price.basis === 'sampled') ? 'sampled' : 'counted';
}

/** Under a rate limit a batch holds at most a tenth of a second's worth. */
function pacedBatch(planned: number, draft: Draft): number {
  const { rate } = draft.request.limits;
  return rate === undefined ? planned : Math.max(1, Math.min(planned, Math.ceil(rate / 10)));
}

function argvsOf(commands: readonly { readonly argv: readonly Argument[] }[]): readonly (readonly Argument[])[] {
  return commands.map((command) => command.argv);
}

function distinctKeys(argvs: readonly Argv[]): number {
  const keys = new Set<string>();
  for (const argv of argvs) for (const { key } of keysOf(argv) ?? []) if (key !== undefined) keys.add(bytesId(key));
  return keys.size;
}

/** What is known of the target's keys, and what its commands cost. */
export function factsOf(target: Target): Facts {
  const keys = new Map(target.keys.map((facts) => [bytesId(facts.key), facts]));
  return { server: target.server, costs: target.costs ?? defaultCosts(), of: (key: Bytes) => keys.get(bytesId(key)) };
}

function whole(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(finite(value)));
}

function rounded(value: number): number {
  return Math.round(finite(value) * 10_000) / 10_000;
}

/** So many simple commands. */
function simple(commands: number): Micros {
  return about(commands * commandMicros, 2);
}

function finite(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : Number.MAX_SAFE_INTEGER;
}
