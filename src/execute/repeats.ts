/**
 * Keys that a walk over a cluster gives a second time, because their slot moved to a node that is walked, too, or is walked
 * again: enough is kept to tell how many, without remembering each. Of a slot as many keys are new as the walk that met most
 * of them has met.
 */
import type { Bytes } from '../base/bytes.ts';
import { slotOf } from '../catalog/slots.ts';

/** What is counted of a page. */
export interface Repeated {
  /** Keys that, by their number, another walk has probably given already. */
  readonly again: number;
  /** Of these, the ones that only walks of the same round have given: both may have met different keys of a slot while it moved. */
  readonly unsure: number;
}

/** One walk over one node. */
export interface Walked {
  count(keys: readonly Bytes[]): Repeated;
}

/** All walks of one run. */
export interface Repeats {
  /** Another walk begins; others may be under way. */
  walk(): Walked;
  /** All walks that began have ended: whatever is met later has been met by them. */
  endRound(): void;
}

const SLOTS = 16_384;

/** `deletes`: what is met was deleted, so a key that is met again is a new one. */
export function createRepeats(deletes: boolean): Repeats {
  const given = new Uint32Array(SLOTS);
  const sure = new Uint32Array(SLOTS);
  return {
    walk() {
      const met = new Map<number, number>();
      return {
        count(keys) {
          let again = 0;
          let unsure = 0;
          for (const key of deletes ? [] : keys) {
            const slot = slotOf(key);
            const nth = (met.get(slot) ?? 0) + 1;
            met.set(slot, nth);
            if (nth > given[slot]!) given[slot] = nth;
            else {
              again += 1;
              if (nth > sure[slot]!) unsure += 1;
            }
          }
          return { again, unsure };
        },
      };
    },
    endRound: () => sure.set(given),
  };
}
