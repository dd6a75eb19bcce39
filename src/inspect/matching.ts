/**
 * Applies the filters of a selection to keys that SCAN gave: what they need is read in one packet, sizes of keys whose
 * type is not known in a second one. Nothing but O(1) commands and MEMORY USAGE, which samples.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import { OpsError } from '../base/ops-error.ts';
import { cardinalityCommands } from '../catalog/cardinality.ts';
import { ReplyError, type WireArgument } from '../formats/resp.ts';
import { asksType, isFiltered, type Measures, passes } from '../plan/filters.ts';
import type { Selection } from '../plan/step.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyInteger, replyText } from '../redis/reply.ts';

/** What reads a key, wherever it is. */
export type Reader = Pick<Lease, 'send'>;

/** How often a key is asked whose type changes between two packets; then it is left out. */
const MOST_ROUNDS = 5;

/** Those of the keys that pass the filters, in their order. Throws OpsError server_error or auth for an error reply, LostConnection as it comes. */
export async function matching(
  reader: Reader,
  selection: Selection,
  keys: readonly Bytes[],
): Promise<readonly Bytes[]> {
  if (!isFiltered(selection)) return keys;
  const passed = new Set<number>();
  let open = keys.map((key, index) => ({ index, name: toBuffer(key) }));
  for (let round = 0; open.length > 0 && round < MOST_ROUNDS; round += 1) {
    const first = await Promise.all(open.map(({ name }) => firstMeasures(reader, selection, name)));
    const asked = open.flatMap((one, at) => {
      const { type, ...rest } = first[at]!;
      const measures = type === undefined ? rest : { ...rest, type };
      // what fails already is not asked for its size
      return passes({ ...selection, size: {} }, { ...measures, size: 0 }) ? [{ ...one, type, measures }] : [];
    });
    const sizes = await Promise.all(asked.map((one) => sizeOf(reader, selection, one)));
    open = [];
    for (const [at, one] of asked.entries()) {
      const size = sizes[at];
      if (size === 'changed') open.push(one);
      else if (passes(selection, { ...one.measures, ...(size === undefined ? {} : { size }) })) passed.add(one.index);
    }
  }
  return keys.filter((_, index) => passed.has(index));
}

async function firstMeasures(
  reader: Reader,
  selection: Selection,
  name: Buffer,
): Promise<Omit<Measures, 'size' | 'type'> & { readonly type: string | undefined }> {
  const { ttl, size, bytes, type } = selection;
  const known = asksType(selection) ? undefined : type;
  const ask = (wanted: boolean, argv: WireArgument[]): Reply | Promise<Reply> => (wanted ? reader.send(argv) : null);
  const [ttlReply, bytesReply, typeReply] = await Promise.all([
    ask(ttl !== undefined, ['PTTL', name]),
    ask(bytes !== undefined, ['MEMORY', 'USAGE', name]),
    ask(asksType(selection) || (size !== undefined && type === undefined), ['TYPE', name]),
  ]);
  const ttlMs = replyInteger(answer(ttlReply));
  const memory = replyInteger(answer(bytesReply));
  return {
    type: known ?? replyText(answer(typeReply)),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(memory === undefined ? {} : { bytes: memory }),
  };
}

/** undefined: it has no size, or none was asked for. */
async function sizeOf(
  reader: Reader,
  selection: Selection,
  { name, type }: { readonly name: Buffer; readonly type: string | undefined },
): Promise<number | 'changed' | undefined> {
  const command = selection.size === undefined ? undefined : cardinalityCommands.get(type ?? '');
  if (command === undefined) return undefined;
  const reply = await reader.send([command, name]);
  if (!(reply instanceof ReplyError) || reply.code !== 'WRONGTYPE') return replyInteger(answer(reply));
  return selection.type === undefined ? 'changed' : undefined;
}

function answer(reply: Reply): Reply {
  if (!(reply instanceof ReplyError)) return reply;
  const code = reply.code === 'NOPERM' ? 'auth' : 'server_error';
  throw new OpsError(code, `the server refused to measure a key: ${reply.message}`, { reply: reply.code });
}
