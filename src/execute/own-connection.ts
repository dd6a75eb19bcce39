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
import { ownProcess, type RunContext, Session } from './session.ts';

/** The slot of the transaction's keys, which is one in a cluster (TX005); undefined when it names none. */
export function slotOfStep(step: TransactionStep): number | undefined {
  return commonSlot(keysOfStep(step));
}

/** True where the keys are of one slot. */
export function inOneSlot(step: TransactionStep): boolean {
  return new Set(keysOfStep(step).map(slotOf)).size === 1;
}

function keysOfStep(step: TransactionStep): Bytes[] {
  const commands = [...step.reads.map((read) => read.command), ...step.steps];
  const named = commands.flatMap(({ argv }) => keysOf(argv.map(literal)) ?? []);
  return [...step.watch, ...named.flatMap(({ key }) => (key === undefined ? [] : [key]))];
}

/** A connection that nobody shares: WATCH belongs to it, so it must never be replaced in the middle of an attempt. */
export class OwnConnection {
  readonly #context: RunContext;
  readonly #slot: number | undefined;
  #lease: Lease | undefined;

  constructor(context: RunContext, slot: number | undefined) {
    this.#context = context;
    this.#slot = slot;
  }

  /** After a redirection: in a cluster the next attempt asks anew which node serves the slot. */
  async moveOn(fault: OpsError | undefined): Promise<void> {
    const { connection } = this.#context;
    if (!isCluster(connection)) return;
    const node = this.#slot === undefined ? undefined : connection.nodeOf(this.#slot);
    await this.close();
    const session = new Session(this.#context);
    if (fault?.code === 'unreachable' && node) await session.awaitTakeover(node.address);
    else await session.refresh();
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
