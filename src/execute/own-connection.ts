/**
 * The connection of a transaction: its own, since WATCH belongs to the connection, and never replaced in the middle of an
 * attempt, since a silent reconnect would forget what was watched.
 */
import type { Bytes } from '../base/bytes.ts';
import type { OpsError } from '../base/ops-error.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';
import type { TransactionStep } from '../plan/step.ts';
import { literal } from '../plan/values.ts';
import type { Lease } from '../redis/connection.ts';
import { commonSlot, isCluster } from './routing.ts';
import { ownProcess, Session, type SessionContext } from './session.ts';

/** The slot of the transaction's keys, which is one in a cluster (TX005); undefined when it names none. */
export function slotOfStep(step: TransactionStep): number | undefined {
  return commonSlot(keysOfStep(step));
}

/** True where the keys are of one slot. */
export function inOneSlot(step: TransactionStep): boolean {
  return inOneSlotOf(keysOfStep(step));
}

/** The same of keys. */
export function inOneSlotOf(keys: readonly Bytes[]): boolean {
  return new Set(keys.map(slotOf)).size === 1;
}

function keysOfStep(step: TransactionStep): Bytes[] {
  const commands = [...step.reads.map((read) => read.command), ...step.steps];
  const named = commands.flatMap(({ argv }) => keysOf(argv.map(literal)) ?? []);
  return [...step.watch, ...named.flatMap(({ key }) => (key === undefined ? [] : [key]))];
}

/** After a redirection: in a cluster asks anew which node serves the slot, and gives it the time to replace one that cannot be reached. */
export async function moveOn(
  context: SessionContext,
  slot: number | undefined,
  fault: OpsError | undefined,
): Promise<void> {
  const { connection } = context;
  if (!isCluster(connection)) return;
  const node = slot === undefined ? undefined : connection.nodeOf(slot);
  const session = new Session(context);
  if (fault?.code === 'unreachable' && node) await session.awaitTakeover(node.address);
  else await session.refresh();
}

/** A connection that nobody shares: WATCH belongs to it, so it must never be replaced in the middle of an attempt. */
export class OwnConnection {
  readonly #context: SessionContext;
  readonly #slot: number | undefined;
  #lease: Lease | undefined;
  readonly #name: string;
  #attempts = 0;

  /** `name` tells its attempts from those of every other connection: a run has one of these, what runs many times has several. */
  constructor(context: SessionContext, slot: number | undefined, name = context.runId) {
    this.#context = context;
    this.#slot = slot;
    this.#name = name;
  }

  /** A name that no other attempt of any run has: what a marker holds. */
  nextAttempt(): string {
    this.#attempts += 1;
    return `${this.#name}/${this.#attempts}`;
  }

  /** After a redirection: in a cluster the next attempt asks anew which node serves the slot. */
  async moveOn(fault: OpsError | undefined): Promise<void> {
    if (isCluster(this.#context.connection)) await this.close();
    await moveOn(this.#context, this.#slot, fault);
  }

  async open(): Promise<Lease> {
    if (this.#lease && !this.#lease.lost) return this.#lease;
    this.#lease = await ownProcess(
      this.#context,
      await this.#context.connection.lease({
        name: `redops:${this.#context.runId}`,
        ...(this.#slot === undefined ? {} : { slot: this.#slot }),
      }),
    );
    return this.#lease;
  }

  async close(): Promise<void> {
    await this.#lease?.close();
    this.#lease = undefined;
  }
}
