import { describe, expect, it } from 'vitest';
import { ReplyError } from '../formats/resp.ts';
import { type ClusterMap, clusterId, clusterView, mergeViews, parseNodes } from './cluster-map.ts';

const id = (letter: string) => letter.repeat(40);
const a = `${id('a')} 10.0.0.1:7000@17000,node-a.example master - 0 1426238317239 2 connected 0-8191`;
const b = `${id('b')} 10.0.0.2:7000@17000 master,fail? - 0 1426238316232 3 connected 8192-16383`;
const c = `${id('c')} 10.0.0.3:7000@17000 slave ${id('a')} 0 1426238316232 2 connected`;
const myself = (line: string) => line.replace(/ (master|slave)/, ' myself,$1');

describe('parseNodes', () => {
  it('reads roles, epochs, ranges, single slots and open slots', () => {
    const line = `${id('a')} :7000@17000 myself,master - 0 0 5 connected 0-99 200 [93->-${id('b')}] [300-<-${id('c')}]`;
    const [node] = parseNodes(`${line}\n${c}\n`, '127.0.0.1:7000');
    expect(node).toEqual({
      id: id('a'),
      address: '127.0.0.1:7000',
      primary: true,
      primaryId: undefined,
      down: false,
      handshake: false,
      epoch: 5,
      slots: [
        [0, 99],
        [200, 200],
      ],
      open: [
        { slot: 93, direction: 'migrating' },
        { slot: 300, direction: 'importing' },
      ],
      myself: true,
    });
    expect(parseNodes(c, 'x:1')[0]).toMatchObject({ primary: false, primaryId: id('a'), address: '10.0.0.3:7000' });
  });

  it('takes a node for down when the cluster has agreed on it, not on a suspicion', () => {
    const down = (line: string) => parseNodes(line, 'x:1')[0]!.down;
    expect([down(b), down(b.replace('fail?', 'fail')), down(b.replace('fail?', 'noaddr'))]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('clusterView', () => {
  it('reaches nodes as CLUSTER SLOTS says, which knows of host names and TLS ports', () => {
    const slots = [[0, 8191, [Buffer.from('node-a.example'), 7001, Buffer.from(id('a')), []]]];
    const view = clusterView(Buffer.from(`${a}\n${b}`), slots, '10.0.0.1:7000');
    expect(view.nodes.map((node) => node.address)).toEqual(['node-a.example:7001', '10.0.0.2:7000']);
  });

  it('says which permission is missing', () => {
    const refused = new ReplyError("NOPERM this user has no permissions to run the 'cluster|nodes' command");
    expect(() => clusterView(refused, [], 'x:1')).toThrow(/NOPERM/);
  });
});

describe('mergeViews', () => {
  const view = (...lines: string[]) => ({ nodes: parseNodes(lines.join('\n'), 'x:1') });

  it('believes the higher configuration epoch, whoever is asked first', () => {
    // c was promoted: one view is behind, the other knows
    const behind = view(myself(b), a, c);
    const promoted = `${id('c')} 10.0.0.3:7000@17000 myself,master - 0 0 9 connected 0-8191`;
    const knows = view(promoted, b, `${id('a')} 10.0.0.1:7000@17000 slave ${id('c')} 0 0 9 connected`);
    for (const views of [
      [behind, knows],
      [knows, behind],
    ]) {
      const map = mergeViews(views);
      expect([map.owners[0], map.owners[16383]]).toEqual([id('c'), id('b')]);
      expect(map.nodes.get(id('c'))?.primary).toBe(true);
    }
  });

  it('leaves slots without an owner without one', () => {
    expect(mergeViews([view(myself(a))]).owners[16383]).toBeUndefined();
  });

  it('names the data set alike before and after a failover, and other nodes otherwise', () => {
    const ids = (...lines: string[]): Pick<ClusterMap, 'nodes'> => mergeViews([view(...lines)]);
    const before = clusterId(ids(a, b, c));
    expect(clusterId(ids(c.replace('slave', 'master'), b.replace('fail?', 'fail'), a))).toBe(before);
    expect(clusterId(ids(a, b))).not.toBe(before);
    expect(clusterId(ids(a, b, c, `${id('d')} :0@0 handshake - 0 0 0 connected`))).toBe(before);
  });
});
