/**
 * MOVED and ASK: where a cluster's node sends a command, read from the reply that refused it. A command that was
 * redirected has not been applied, so following is safe whatever the command.
 */
import { type Bytes, fromBuffer } from '../base/bytes.ts';
import { keysOf } from '../catalog/keys.ts';
import { slotOf } from '../catalog/slots.ts';

import { ReplyError, type WireArgument } from '../formats/resp.ts';
import { join } from './cluster-map.ts';
import type { Lease, Route, SendOptions } from './connection.ts';
import type { Reply } from './reply.ts';

/** Redirections that one command follows: more mean that the nodes do not agree. */
const MOST_REDIRECTS = 8;

/** A connection to one node, exclusive or shared. */
export type Sender = Pick<Lease, 'node' | 'send'>;

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

/** Sends one command to the node of its keys, over the connections that `open` gives, and follows where it is sent. */
export async function sendRouted(
  open: (route: Route) => Promise<Sender>,
  refresh: () => Promise<void>,
  argv: readonly WireArgument[],
  options?: SendOptions,
): Promise<Reply> {
  const slot = slotOfCommand(argv);
  let sender = await open(slot === undefined ? {} : { slot });
  let asking = false;
  for (let redirects = 0; ; redirects += 1) {
    // both are queued in this tick, so that nothing comes in between
    const [, reply] = await Promise.all([
      asking ? sender.send(['ASKING'], options) : undefined,
      sender.send(argv, options),
    ]);
    const redirect = redirectOf(reply, sender.node.address);
    if (!redirect || redirects === MOST_REDIRECTS) return reply;
    asking = redirect.kind === 'ask';
    if (!asking) await refresh();
    sender = await open({ address: redirect.address });
  }
}

/** The slot of a command's first key; undefined when it has none or its keys are not known. */
function slotOfCommand(argv: readonly WireArgument[]): number | undefined {
  const words = argv.map((word): Bytes => (typeof word === 'string' ? word : fromBuffer(word)));
  const key = keysOf(words)?.[0]?.key;
  return key === undefined ? undefined : slotOf(key);
}
