/** The seam over a cluster: the conformance suite, the map and what happens when it is out of date. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/catalog/slots.ts';
import { ReplyError } from '../../src/formats/resp.ts';
import { connectCluster } from '../../src/redis/cluster.ts';
import { connectTarget } from '../../src/redis/connect.ts';
import { recordingConnection } from '../../src/redis/recording.ts';
import { redirectOf } from '../../src/redis/redirect.ts';
import { replyText } from '../../src/redis/reply.ts';
import { parseUrl } from '../../src/redis/url.ts';
import { faultOf } from '../support/agent.ts';
import {
  portWithBus,
  startCluster,
  startServer,
  type TestCluster,
  type TestServer,
  waitFor,
} from '../support/servers.ts';
import { conforms, type Subject } from './conformance.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 60_000);
afterAll(() => cluster.stop());

const addressOf = ({ port }: TestServer) => `127.0.0.1:${port}`;

function subject(): Subject {
  return {
    cli: (...args) => cluster.cli(...args),
    at: (address, ...args) => cluster.nodes.find((node) => addressOf(node) === address)!.cli(...args),
    addresses: cluster.primaries.map(addressOf),
  };
}

describe('a connection to a cluster', () => {
  conforms(subject, () => connectCluster(parseUrl(cluster.url)));

  it('is what a plain URL of any node leads to, also of a replica', async () => {
    const connection = await connectTarget(parseUrl(cluster.replicas[0]!.url));
    expect(connection.nodes().length).toBe(3);
    expect(connection.nodes().every((node) => /^[0-9a-f]{40}$/.test(node.id!))).toBe(true);
    await connection.close();
  });

  it('starts with any node of the URL that answers, and refuses a server that is no cluster', async () => {
    const node = addressOf(cluster.nodes[1]!);
    const connection = await connectTarget(parseUrl(`redis+cluster://127.0.0.1:1,${node}`));
    expect(connection.nodes().length).toBe(3);
    await connection.close();
    const single = await startServer();
    expect((await faultOf(connectTarget(parseUrl(`redis+cluster://${addressOf(single)}`)))).code).toBe('unsupported');
    await single.stop();
  });

  it('speaks TLS to the nodes, at the ports that they announce for it', async () => {
    const args = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes', '--cluster-config-file', 'nodes.conf'];
    const node = await startServer({ tls: true, port: await portWithBus(), args });
    for (let first = 0; first < 16_384; first += 4_096) {
      const slots = Array.from({ length: 4_096 }, (_, slot) => String(first + slot));
      await node.cli('cluster', 'addslots', ...slots);
    }
    await waitFor('a cluster of one', async () => (await node.cli('cluster', 'info')).includes('cluster_state:ok'));
    const { ca, cert, key } = node.tls!;
    for (const url of [node.url, node.url.replace('rediss:', 'rediss+cluster:')]) {
      const connection = await connectTarget(parseUrl(url, { ca, cert, key }));
      expect(connection.nodes().map(({ address }) => address)).toEqual([addressOf(node)]);
      expect(await connection.send(['SET', 'secret', 'v'])).toBe('OK');
      await connection.close();
    }
    await node.stop();
  });

  it('that was lost opens one socket to each node for all who ask at the same time', async () => {
    const connection = await connectCluster(parseUrl(cluster.url));
    const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    const ask = () => Promise.all(keys.map((key) => connection.send(['EXISTS', key])));
    const clients = async (node: TestServer) =>
      (await node.cli('client', 'list', 'type', 'normal')).split('\n').filter((line) => line.includes('name=redops'))
        .length;
    await ask();
    const before = await Promise.all(cluster.primaries.map(clients));
    for (const node of cluster.primaries) await node.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await waitFor('the loss to be noticed', async () => (await clients(cluster.primaries[0]!)) === 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await ask();
    expect(before).toEqual([1, 1, 1]);
    expect(await Promise.all(cluster.primaries.map(clients))).toEqual([1, 1, 1]);
    await connection.close();
  });

  it('follows MOVED and ASK: a command that was refused has not been applied', async () => {
    const connection = await connectCluster(parseUrl(cluster.url));
    const key = 'moving';
    const slot = slotOf(key);
    await connection.send(['SET', key, 'v']);
    const from = cluster.primaries.find((node) => addressOf(node) === connection.nodeOf(slot)!.address)!;
    const to = cluster.primaries.find((node) => node !== from)!;
    const [fromId, toId] = await Promise.all([from.cli('cluster', 'myid'), to.cli('cluster', 'myid')]);
    await to.cli('cluster', 'setslot', String(slot), 'importing', fromId);
    await from.cli('cluster', 'setslot', String(slot), 'migrating', toId);
    await from.cli('migrate', '127.0.0.1', String(to.port), key, '0', '1000');
    expect(replyText(await connection.send(['GET', key]))).toBe('v'); // ASK
    expect(connection.nodeOf(slot)!.address).toBe(addressOf(from));
    for (const node of [to, from]) await node.cli('cluster', 'setslot', String(slot), 'node', toId);
    expect(await connection.send(['APPEND', key, 'w'])).toBe(2); // MOVED, once
    expect(connection.nodeOf(slot)!.address).toBe(addressOf(to));
    await connection.close();
  });
});

describe('the recording connection over a cluster', () => {
  conforms(subject, async () => recordingConnection(await connectCluster(parseUrl(cluster.url))));
});

describe('redirectOf', () => {
  it.each([
    ['MOVED 3999 10.0.0.1:6381', { kind: 'moved', slot: 3999, address: '10.0.0.1:6381' }],
    ['ASK 1 ::1:6381', { kind: 'ask', slot: 1, address: '[::1]:6381' }],
    ['MOVED 3999 :6381', { kind: 'moved', slot: 3999, address: 'asked:6381' }],
    ['MOVED 3999 ?:6381', { kind: 'moved', slot: 3999, address: 'asked:6381' }],
    ['MOVED 3999 node.example:6381', { kind: 'moved', slot: 3999, address: 'node.example:6381' }],
    ['CLUSTERDOWN Hash slot not served', undefined],
  ])('reads %s', (message, expected) => {
    expect(redirectOf(new ReplyError(message), 'asked:7000')).toEqual(expected);
  });
});
