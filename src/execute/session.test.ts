import { describe, expect, it } from 'vitest';
import { targetWith } from '../../test/support/target.ts';
import { systemClock } from '../base/clock.ts';
import { OpsError } from '../base/ops-error.ts';
import { slotOf } from '../catalog/slots.ts';
import type { Connection, Lease, Node, Route } from '../redis/connection.ts';
import { Session, type SessionContext } from './session.ts';

type Open = Lease & { lost: boolean; closed: boolean };

/** A connection whose every opening takes a turn of the queue and is counted; `owner` names the node of a slot. */
function counting(nodes: readonly Node[], owner: (slot: number) => Node = () => nodes[0]!) {
  const opened: Open[] = [];
  const fail: { with?: OpsError } = {};
  const lease = async ({ slot, address }: Route = {}): Promise<Lease> => {
    await Promise.resolve();
    if (fail.with) throw fail.with;
    const node = nodes.find((one) => one.address === address) ?? (slot === undefined ? nodes[0]! : owner(slot));
    const one: Open = {
      node,
      clientId: opened.length,
      runId: 'b2',
      lost: false,
      closed: false,
      send: async () => 'OK',
      close: async () => {
        one.closed = true;
        one.lost = true;
      },
    };
    opened.push(one);
    return one;
  };
  const connection = { nodes: () => nodes, nodeOf: owner, lease, pipe: lease } as unknown as Connection;
  return { opened, fail, connection };
}

function sessionOn(connection: Connection): Session<SessionContext> {
  return new Session<SessionContext>({
    plan: { request: { retry: { max_retries: 3, base_ms: 1 }, limits: {} }, target: targetWith() },
    runId: 'test',
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    journal: undefined,
  });
}

const three: readonly Node[] = ['a', 'b', 'c'].map((id) => ({ address: `${id}:1`, id }));
const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);

describe('the connections of a session', () => {
  it.each(['lease', 'bulk'] as const)('are one %s for all who ask at once, before and after a loss', async (kind) => {
    const { opened, connection } = counting([{ address: 'a:1' }]);
    const session = sessionOn(connection);
    const ask = () => Promise.all(keys.map(() => session[kind]()));
    expect(new Set(await ask()).size).toBe(1);
    opened[0]!.lost = true;
    expect(new Set(await ask()).size).toBe(1);
    expect(opened).toHaveLength(2);
  });

  it('are in a cluster one to each node, however many keys are read at once', async () => {
    const { opened, connection } = counting(three, (slot) => three[slot % 3]!);
    const session = sessionOn(connection);
    const read = () => Promise.all(keys.map((key) => session.read(['PTTL', key])));
    await read();
    expect(opened).toHaveLength(3);
    for (const one of opened) one.lost = true;
    await read();
    expect(opened).toHaveLength(6);
    await session.close();
    expect(opened.slice(3).every(({ closed }) => closed)).toBe(true);
  });

  it('fail for all who wait for an opening that fails, which is not kept', async () => {
    const { opened, fail, connection } = counting([{ address: 'a:1' }]);
    const session = sessionOn(connection);
    fail.with = new OpsError('unreachable', 'gone');
    const asked = await Promise.allSettled(keys.map(() => session.lease()));
    expect(asked.every(({ status }) => status === 'rejected')).toBe(true);
    delete fail.with;
    await session.lease();
    expect(opened).toHaveLength(1);
  });

  it('follow a slot to the node that took it over, and an address to that node alone', async () => {
    let owner = three[0]!;
    const { opened, connection } = counting(three, () => owner);
    const session = sessionOn(connection);
    const slot = slotOf('k');
    const first = session.lease({ slot }); // asked of the first node, opened at the one that took over meanwhile
    owner = three[1]!;
    expect((await first).node.address).toBe('b:1');
    expect((await session.lease({ address: 'a:1' })).node.address).toBe('a:1');
    expect((await session.lease({ slot })).node.address).toBe('b:1');
    expect(opened.length).toBeLessThanOrEqual(3);
  });

  it('are not opened any more once it is closed, not even for who waited for one that was lost', async () => {
    const { opened, connection } = counting([{ address: 'a:1' }]);
    const session = sessionOn(connection);
    await session.lease();
    opened[0]!.lost = true;
    const closing = session.close();
    const late = await Promise.allSettled([session.lease(), session.bulk()]);
    await closing;
    expect(late.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(opened).toHaveLength(1);
  });
});
