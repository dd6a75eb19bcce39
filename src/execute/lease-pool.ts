/**
 * The connections of the library's transactions: each attempt has one to itself, and gives it back only when nothing is
 * watched or queued on it. None is ever replaced under an attempt; a bound keeps a burst of transactions from becoming a
 * burst of connections.
 */
import type { Clock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Lease } from '../redis/connection.ts';

/** How many attempts run at once, and how long one waits for its turn. */
export interface PoolBounds {
  readonly most: number;
  readonly patienceMs: number;
}

/** Leases by node. */
export class LeasePool {
  readonly #bounds: PoolBounds;
  readonly #clock: Clock;
  readonly #idle: Lease[] = [];
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(clock: Clock, bounds: PoolBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** A lease to the node (to any when left out), kept or opened. Rejects as `open` does, and with refused when no turn came. */
  async take(address: string | undefined, open: () => Promise<Lease>): Promise<Lease> {
    await this.#turn();
    try {
      return (await this.#kept(address)) ?? (await open());
    } catch (error) {
      this.#next();
      throw error;
    }
  }

  /** Takes a lease back; one that is not clean is closed. */
  async give(lease: Lease, clean: boolean): Promise<void> {
    if (clean && !lease.lost) this.#idle.push(lease);
    else await lease.close();
    this.#next();
  }

  async #kept(address: string | undefined): Promise<Lease | undefined> {
    for (const lease of this.#idle.filter((one) => one.lost)) await this.#drop(lease);
    const index = this.#idle.findLastIndex((one) => address === undefined || one.node.address === address);
    if (index >= 0) return this.#idle.splice(index, 1)[0];
    // in a cluster the bound holds for all nodes together
    const oldest = this.#idle[0];
    if (oldest && this.#idle.length + this.#taken > this.#bounds.most) await this.#drop(oldest);
    return undefined;
  }

  async #drop(lease: Lease): Promise<void> {
    const index = this.#idle.indexOf(lease);
    if (index >= 0) this.#idle.splice(index, 1);
    await lease.close();
  }

  async #turn(): Promise<void> {
    if (this.#taken < this.#bounds.most) {
      this.#taken += 1;
      return;
    }
    const { most, patienceMs } = this.#bounds;
    const patience = new AbortController();
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
    const mine = this.#waiting.at(-1)!;
    const late = this.#clock.sleep(patienceMs, patience.signal).then(
      () => 'late' as const,
      () => undefined,
    );
    const first = await Promise.race([turn, late]);
    patience.abort();
    if (first !== 'late') return;
    const index = this.#waiting.indexOf(mine);
    if (index < 0) return; // its turn came in the same moment
    this.#waiting.splice(index, 1);
    throw new OpsError('refused', `all ${most} connections of transactions were busy for ${patienceMs} ms`, {
      remedy: 'Start no transaction inside another one, and keep what runs between the reads and the commands short.',
    });
  }

  /** Hands the turn on to who waits longest. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken -= 1;
  }
}
