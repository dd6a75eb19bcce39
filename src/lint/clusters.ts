/** Slots, and whether the target is a cluster at all: rules about clusters say "not known" where there is no target. */
import type { Bytes } from '../base/bytes.ts';
import { slotOf } from '../catalog/slots.ts';
import { howToGive } from './facts.ts';
import type { Finding, Subject, Verdict } from './rule.ts';
import { listed, shown } from './words.ts';

/** Whether the target is a cluster; undefined without a target. */
export function isCluster(subject: Subject): boolean | undefined {
  const { target } = subject;
  return target && (target.server.cluster || target.identity.topology === 'cluster');
}

/** "k1 (slot 12706), k2 (slot 449)", one key for each slot, when the keys are in more than one slot; else undefined. */
export function severalSlots(keys: readonly Bytes[]): string | undefined {
  const bySlot = new Map<number, Bytes>();
  for (const key of keys) {
    const slot = slotOf(key);
    if (!bySlot.has(slot)) bySlot.set(slot, key);
  }
  if (bySlot.size < 2) return undefined;
  return listed([...bySlot].map(([slot, key]) => `${shown(key)} (slot ${slot})`));
}

/** The sentence for a rule that found several slots and does not know whether that matters. */
export function clusterUnknown(subject: Subject): string {
  return `keys of several slots stand together; whether the target is a cluster is not known: ${howToGive(subject)}`;
}

/** A verdict about something that matters in a cluster only: its findings there, nothing elsewhere, and "not known" without a target. */
export function inCluster(subject: Subject, findings: readonly Finding[]): Verdict {
  if (findings.length === 0 || isCluster(subject) === false) return { findings: [] };
  if (isCluster(subject)) return { findings };
  return { findings: [], unchecked: `needs to know whether the target is a cluster: ${howToGive(subject)}` };
}
