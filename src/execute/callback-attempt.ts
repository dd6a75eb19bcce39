/**
 * One attempt of a transaction whose commands a function makes: WATCH, the reads that it asks for, MULTI, then the commands
 * and EXEC (exec-block.ts). Whatever the function does, the connection is left with nothing watched and nothing queued, or
 * it is not used again.
 */
import type { Bytes } from '../base/bytes.ts';
import { toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { errorOf } from '../catalog/errors.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import type { Lease } from '../redis/connection.ts';
import type { Reply } from '../redis/reply.ts';
import { type ExecTerms, nothingRan, type Ran, refusedBefore, runExec } from './exec-block.ts';
import { readBefore } from './marker.ts';

/** Sends one read. Rejects with OpsError: connection_lost, connection_timeout, server_error (with the reply's code), usage (the attempt is over). */
export type ReadOne = (argv: readonly WireArgument[]) => Promise<Reply>;

/** Makes the commands of one attempt; undefined: there is nothing to do. What it throws ends the transaction. */
export type MakeCommands = (read: ReadOne) => Promise<readonly (readonly WireArgument[])[] | undefined>;

/** What an attempt came to. `clean`: its connection may be used again. */
export interface Attempted {
  readonly ran: Ran;
  readonly clean: boolean;
}

/** What the function threw, and whether its connection may be used again. */
export class Thrown {
  readonly error: unknown;
  readonly clean: boolean;

  constructor(error: unknown, clean: boolean) {
    this.error = error;
    this.clean = clean;
  }
}

/** One attempt on a lease that nobody else uses; `terms` are asked for once the commands are made. Gives Thrown for what `make` threw; rejects for nothing that the server or the network did. */
export async function attemptWith(
  lease: Lease,
  watch: readonly Bytes[],
  make: MakeCommands,
  terms: () => ExecTerms,
): Promise<Attempted | Thrown> {
  try {
    return await attempt(lease, watch, make, terms);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return { ran: { ...nothingRan(0, 'redirected'), reason: error.code, fault: error }, clean: false };
  }
}

async function attempt(
  lease: Lease,
  watch: readonly Bytes[],
  make: MakeCommands,
  terms: () => ExecTerms,
): Promise<Attempted | Thrown> {
  const reads = new Reads(lease, watch);
  const made = await reads.over(make);
  const watched = await reads.watched;
  if (watched instanceof ReplyError) return { ran: refusedBefore(0, watched), clean: false };
  if (reads.broken) return { ran: reads.broken, clean: false };
  if ('error' in made) {
    const clean = await unwatch(lease);
    const own = reads.refused.get(made.error);
    return own ? { ran: refusedBefore(0, own), clean } : new Thrown(made.error, clean);
  }
  if (made.commands === undefined) return { ran: nothingRan(0, 'not_met'), clean: await unwatch(lease) };
  // no command goes out before MULTI has answered: after a refused one each of them would run at once, by itself
  const { marker } = terms();
  const [before, multi] = await Promise.all([readBefore(lease, marker), lease.send(['MULTI'])]);
  const refused = [before, multi].find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError) return { ran: refusedBefore(made.commands.length, refused), clean: false };
  const ran = await runExec(lease, made.commands, terms(), before);
  return { ran, clean: !lease.lost && ran.outcome !== 'redirected' && ran.outcome !== 'unknown' };
}

async function unwatch(lease: Lease): Promise<boolean> {
  const reply = await lease.send(['UNWATCH']).catch(() => undefined);
  return reply === 'OK';
}

/** The reads of one attempt, which are over when its commands are made. */
class Reads {
  readonly watched: Promise<Reply>;
  /** Errors that were thrown here, with the replies that they stand for. */
  readonly refused = new Map<unknown, ReplyError>();
  /** What made the attempt worthless, whatever the function made of it. */
  broken: Ran | undefined;
  readonly #lease: Lease;
  #over = false;

  constructor(lease: Lease, watch: readonly Bytes[]) {
    this.#lease = lease;
    // leaves with the first read in one packet
    this.watched = watch.length > 0 ? lease.send(['WATCH', ...watch.map(toBuffer)]) : Promise.resolve('OK');
    this.watched.catch(() => undefined);
  }

  async over(
    make: MakeCommands,
  ): Promise<{ readonly commands: Awaited<ReturnType<MakeCommands>> } | { readonly error: unknown }> {
    try {
      return { commands: await make((argv) => this.#read(argv)) };
    } catch (error) {
      return { error };
    } finally {
      this.#over = true;
    }
  }

  async #read(argv: readonly WireArgument[]): Promise<Reply> {
    if (this.#over)
      throw new OpsError('usage', 'a read was asked for after the commands of the transaction were made', {
        remedy: 'Await every tx.read before the function returns.',
      });
    let reply: Reply;
    try {
      [, reply] = await Promise.all([this.watched, this.#lease.send(argv)]);
    } catch (error) {
      if (error instanceof OpsError)
        this.broken ??= { ...nothingRan(0, 'redirected'), reason: error.code, fault: error };
      throw error;
    }
    if (!(reply instanceof ReplyError)) return reply;
    const error = new OpsError('server_error', `a read was refused: ${reply.message}`, { reply: reply.code });
    if (errorOf(reply.code).redirect) this.broken ??= refusedBefore(0, reply);
    this.refused.set(error, reply);
    throw error;
  }
}
