/**
 * The connection of a dry run: questions and reads pass through, everything else is counted and not sent. Nothing
 * invents a reply: what was not sent answers `notSent`, and whoever needs its reply cannot go on.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import { commandName } from '../catalog/lookup.ts';
import { isReadOnly, runsScript } from '../catalog/nature.ts';
import type { WireArgument } from '../formats/resp.ts';
import type { Connection, Lease, Pipe } from './connection.ts';
import { notSent, type Reply } from './reply.ts';

/** A Connection that sends no write, and how many commands it kept back. */
export interface RecordingConnection extends Connection {
  readonly keptBack: () => number;
}

/** True for the connection of a dry run. */
export function isRecording(connection: Connection): connection is RecordingConnection {
  return 'keptBack' in connection;
}

/** Questions about the server and the connection, which change nothing although they are not flagged readonly. */
const questions = new Set([
  'acl|dryrun',
  'acl|whoami',
  'asking',
  'client|id',
  'client|no-touch',
  'cluster|nodes',
  'cluster|slots',
  'config|get',
  'info',
  'ping',
  'role',
  'script|exists',
  'time',
  'unwatch',
  'watch',
]);

/** Wraps a connection so that only what reads is sent. */
export function recordingConnection(inner: Connection): RecordingConnection {
  const kept = { count: 0 };
  return {
    keptBack: () => kept.count,
    send: (argv, options) => {
      if (passes(argv)) return inner.send(argv, options);
      kept.count += 1;
      return Promise.resolve(notSent);
    },
    lease: async (route) => recordingLease(await inner.lease(route), kept),
    pipe: async (route) => recordingPipe(await inner.pipe(route), kept),
    nodes: () => inner.nodes(),
    nodeOf: (slot) => inner.nodeOf(slot),
    refresh: () => inner.refresh(),
    confirm: (runId) => inner.confirm(runId),
    end: (lost) => inner.end(lost),
    close: () => inner.close(),
  };
}

function recordingLease(inner: Lease, kept: { count: number }): Lease {
  let queueing = false;
  return {
    node: inner.node,
    clientId: inner.clientId,
    runId: inner.runId,
    get lost() {
      return inner.lost;
    },
    send: (argv, options) => {
      const name = commandName(argv.slice(0, 2).map(bytesOf));
      if (name === 'multi') queueing = true; // from here to EXEC even a read would only be queued
      if (!queueing && passes(argv)) return inner.send(argv, options);
      if (name === 'exec' || name === 'discard') queueing = false;
      else if (name !== 'multi') kept.count += 1;
      return Promise.resolve(notSent);
    },
    close: () => inner.close(),
  };
}

/** Reads go out; what is kept back is answered in its place, so that replies stay in the order of the commands. */
function recordingPipe(inner: Pipe, kept: { count: number }): Pipe {
  const order: boolean[] = [];
  let ready: Reply[] = [];
  const drain = (): Reply[] => {
    const out: Reply[] = [];
    while (order.length > 0 && (!order[0] || ready.length > 0)) out.push(order.shift() ? ready.shift()! : notSent);
    return out;
  };
  return {
    node: inner.node,
    clientId: inner.clientId,
    runId: inner.runId,
    get inFlight() {
      return order.length;
    },
    get bytesOut() {
      return inner.bytesOut;
    },
    get lost() {
      return inner.lost;
    },
    write(commands) {
      const sent = commands.filter((argv) => {
        const goes = passes(argv);
        order.push(goes);
        if (!goes) kept.count += 1;
        return goes;
      });
      if (sent.length > 0) inner.write(sent);
    },
    async read() {
      for (let out = drain(); ; out = drain()) {
        if (out.length > 0) return out;
        ready = [...ready, ...(await inner.read())];
      }
    },
    close: () => inner.close(),
  };
}

function passes(argv: readonly WireArgument[]): boolean {
  const words = argv.map(bytesOf);
  const name = commandName(words);
  // TOUCH is flagged readonly and is sent for what it changes
  return questions.has(name) || (isReadOnly(words) && !runsScript(words) && name !== 'touch');
}

function bytesOf(argument: WireArgument): Bytes {
  return typeof argument === 'string' ? argument : fromBuffer(argument);
}
