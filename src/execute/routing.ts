/** Where a command goes: in a cluster to the node that serves the slot of its keys, else to the one server there is. */
import type { Bytes } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';
import { ReplyError } from '../formats/resp.ts';
import type { Connection } from '../redis/connection.ts';

/** node: there; nobody: its slot has no owner now; crossslot: no node could run it, so it is not sent. */
export type Place =
  | { readonly at: 'node'; readonly address: string; readonly slot?: number }
  | { readonly at: 'nobody' | 'crossslot'; readonly error: ReplyError };

/** True where commands have to be routed. */
export function isCluster(connection: Pick<Connection, 'nodes'>): boolean {
  return connection.nodes()[0]?.id !== undefined;
}

/** The place of a command by the map as it is now. One without keys, or whose keys are not known, goes to the first node: the server says what is wrong with it. */
export function placeOf(connection: Pick<Connection, 'nodes' | 'nodeOf'>, argv: readonly Bytes[]): Place {
  const slots = new Set((keysOf(argv) ?? []).flatMap(({ key }) => (key === undefined ? [] : [slotOf(key)])));
  if (slots.size > 1)
    return { at: 'crossslot', error: new ReplyError("CROSSSLOT Keys in request don't hash to the same slot") };
  const [slot] = slots;
  const node = slot === undefined ? connection.nodes()[0] : connection.nodeOf(slot);
  if (node) return { at: 'node', address: node.address, ...(slot === undefined ? {} : { slot }) };
  return { at: 'nobody', error: new ReplyError(`CLUSTERDOWN no node serves slot ${slot ?? 'any'}`) };
}

/** The slot that these commands have in common; undefined when they name no keys. Commands of several slots have been refused before. */
export function commonSlot(keys: Iterable<Bytes>): number | undefined {
  for (const key of keys) return slotOf(key);
  return undefined;
}
