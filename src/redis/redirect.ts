/** MOVED and ASK: where a cluster's node sends a command, read from the reply that refused it. */

import { ReplyError } from '../formats/resp.ts';
import { join } from './cluster-map.ts';
import type { Reply } from './reply.ts';

/** MOVED: the slot is served there; ASK: this key is there already, and ASKING must come before the command. */
export interface Redirect {
  readonly kind: 'moved' | 'ask';
  readonly slot: number;
  /** `host:port`. */
  readonly address: string;
}

/** The redirection in an error reply of the node at `asked`; undefined for any other reply. */
export function redirectOf(reply: Reply, asked: string): Redirect | undefined {
  if (!(reply instanceof ReplyError) || (reply.code !== 'MOVED' && reply.code !== 'ASK')) return undefined;
  const [, slot, endpoint] = reply.message.split(' ');
  const colon = endpoint?.lastIndexOf(':') ?? -1;
  if (slot === undefined || endpoint === undefined || colon < 0) return undefined;
  const address = join(endpoint.slice(0, colon), Number(endpoint.slice(colon + 1)), asked);
  return { kind: reply.code === 'MOVED' ? 'moved' : 'ask', slot: Number(slot), address };
}
