/** Streams of commands when the world misbehaves: every command has one outcome, in order, and none runs twice. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AgentSettings, openAgent } from '../../src/agent.ts';
import { OpsError } from '../../src/base/ops-error.ts';
import type { PipelineCommand, PipelineOptions, PipelineOutcome } from '../../src/pipeline.ts';
import { startProxy, startServer, type TestProxy, type TestServer } from '../support/servers.ts';

let server: TestServer;
let proxy: TestProxy;
let url: string;
beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
  url = `redis://127.0.0.1:${proxy.port}`;
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});
beforeEach(async () => {
  await proxy.restore();
  await server.cli('config', 'set', 'maxmemory', '0');
  await server.cli('flushall');
});

interface Ran {
  readonly outcomes: PipelineOutcome[];
  readonly fault: unknown;
}

/** Runs a stream to its end or fault; outcomes must come in order, each once. */
async function run(
  commands: Iterable<PipelineCommand> | AsyncIterable<PipelineCommand>,
  options: PipelineOptions & {
    at?: string;
    settings?: Partial<AgentSettings>;
    onOutcome?: (one: PipelineOutcome) => void | Promise<void>;
  } = {},
): Promise<Ran> {
  const { at = url, settings, onOutcome, ...rest } = options;
  const agent = await openAgent({ url: at, ...settings });
  const outcomes: PipelineOutcome[] = [];
  let fault: unknown;
  try {
    for await (const one of agent.pipeline(commands, { max_retries: 20, base_ms: 2, ...rest })) {
      expect(one.index).toBe(outcomes.length);
      outcomes.push(one);
      await onOutcome?.(one);
    }
  } catch (error) {
    fault = error;
  } finally {
    await agent.close();
  }
  return { outcomes, fault };
}

/** Cuts all connections of the proxy again and again, from the first outcome on: until then the agent connects. */
function cutEvery(ms: number): { begin: () => void; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    begin: () => {
      timer ??= setInterval(() => proxy.reset(), ms);
    },
    end: () => clearInterval(timer),
  };
}

function count(outcomes: readonly PipelineOutcome[], outcome: PipelineOutcome['outcome']): number {
  return outcomes.filter((one) => one.outcome === outcome).length;
}

function* repeat(times: number, command: (index: number) => PipelineCommand): Generator<PipelineCommand> {
  for (let index = 0; index < times; index += 1) yield command(index);
}

describe('a stream', () => {
  it('gives 100,000 replies in order, as bytes are', async () => {
    const { outcomes, fault } = await run(
      repeat(50_000, (index) => ['SET', `k${index}`, index % 3 ? `v${index}` : Buffer.from([0xff, index & 0xff])]),
    );
    expect(fault).toBeUndefined();
    expect(count(outcomes, 'ok')).toBe(50_000);
    const read = await run(repeat(50_000, (index) => ['GET', `k${index}`]));
    read.outcomes.forEach((one, index) => {
      const bytes = { base64: Buffer.from([0xff, index & 0xff]).toString('base64') };
      expect(one.reply).toEqual(index % 3 ? `v${index}` : bytes);
    });
  });

  it('loses nothing else when one command fails, and tells integers and strings apart', async () => {
    const { outcomes } = await run(
      [
        ['SET', 'a', 1],
        ['LPUSH', 'a', 'x'],
        ['INCR', 'a'],
        ['NOPE', 'x'],
      ].slice(0, 3) as PipelineCommand[],
    );
    expect(outcomes.map((one) => [one.outcome, one.reply, one.error?.name])).toEqual([
      ['ok', 'OK', undefined],
      ['error', null, 'WRONGTYPE'],
      ['ok', 2, undefined],
    ]);
  });

  it('doubles no INCR and loses no SET while its connections are cut again and again', async () => {
    const cuts = cutEvery(25);
    const total = 60_000;
    const { outcomes, fault } = await run(
      repeat(total, (index) => (index % 2 ? ['INCR', `n${index % 100}`] : ['SET', `s${index}`, index])),
      { onOutcome: cuts.begin },
    );
    cuts.end();
    expect(fault).toBeUndefined();
    expect(outcomes.length).toBe(total);
    const unknown = outcomes.filter((one) => one.outcome === 'unknown');
    expect(unknown.length).toBeGreaterThan(0);
    expect(unknown.every((one) => one.index % 2 === 1)).toBe(true);
    expect(count(outcomes, 'ok') + unknown.length).toBe(total);
    const sum = Number(
      await server.cli(
        'eval',
        "local sum = 0 for i = 1, 99, 2 do sum = sum + (redis.call('get', 'n' .. i) or 0) end return sum",
        '0',
      ),
    );
    const applied = outcomes.filter((one) => one.index % 2 === 1 && one.outcome === 'ok').length;
    expect(sum).toBeGreaterThanOrEqual(applied);
    expect(sum).toBeLessThanOrEqual(applied + unknown.length);
    const wrong = await server.cli(
      'eval',
      `local wrong = 0 for i = 0, ${total - 1}, 2 do if redis.call('get', 's' .. i) ~= tostring(i) then wrong = wrong + 1 end end return wrong`,
      '0',
    );
    expect(wrong).toBe('0');
  });

  it('keeps the order of writes to one key through lost connections', async () => {
    const cuts = cutEvery(20);
    const commands = repeat(40_000, (index) => ['SET', `k${index % 7}`, index]);
    const { outcomes } = await run(commands, { onOutcome: cuts.begin });
    cuts.end();
    expect(count(outcomes, 'ok')).toBe(40_000);
    for (let key = 0; key < 7; key += 1) {
      const last = 39_999 - ((39_999 - key) % 7);
      expect(await server.cli('get', `k${key}`)).toBe(String(last));
    }
  });

  it('waits out BUSY: nothing was applied, and everything is, once', async () => {
    await server.cli('config', 'set', 'lua-time-limit', '10');
    let script: Promise<string> | undefined;
    const { outcomes, fault } = await run(
      repeat(20_000, () => ['INCR', 'n']),
      {
        rate: 40_000,
        onOutcome: (one) => {
          if (one.index !== 2_000) return;
          script = server.cli('eval', 'while true do end', '0').catch(() => '');
          setTimeout(() => void server.cli('script', 'kill').catch(() => ''), 300);
        },
      },
    );
    await script;
    expect(fault).toBeUndefined();
    expect(count(outcomes, 'ok')).toBe(20_000);
    expect(await server.cli('get', 'n')).toBe('20000');
  });

  it('goes on through OOM: what did not fit is an error, each with its code, and the rest is there', async () => {
    const used = Number(/used_memory:(\d+)/.exec(await server.cli('info', 'memory'))?.[1]);
    await server.cli('config', 'set', 'maxmemory', String(used + 3_000_000));
    const { outcomes, fault } = await run(repeat(20_000, (index) => ['SET', `k${index}`, 'x'.repeat(1_000)]));
    expect(fault).toBeUndefined();
    const failed = outcomes.filter((one) => one.outcome === 'error');
    expect(failed.length).toBeGreaterThan(0);
    expect(new Set(failed.map((one) => one.error?.name))).toEqual(new Set(['OOM']));
    expect(Number(await server.cli('dbsize'))).toBe(20_000 - failed.length);
  });

  it('ends with a fault when the server is gone, after the outcomes of all that was sent', async () => {
    const own = await startServer();
    const { outcomes, fault } = await run(
      repeat(1_000_000, (index) => ['INCR', `n${index % 10}`]),
      {
        at: own.url,
        max_retries: 2,
        onOutcome: async (one) => {
          if (one.index === 5_000) await own.stop();
        },
      },
    );
    expect(fault).toBeInstanceOf(OpsError);
    expect((fault as OpsError).code).toBe('unreachable');
    expect(outcomes.length).toBeLessThan(1_000_000);
    expect(outcomes.slice(0, 5_000).every((one) => one.outcome === 'ok')).toBe(true);
    expect(outcomes.filter((one) => one.outcome !== 'ok' && one.outcome !== 'unknown')).toEqual([]);
  });

  it('calls what a silent server was sent unknown, within the timeout', async () => {
    const { outcomes, fault } = await run(
      repeat(5_000, () => ['INCR', 'n']),
      {
        rate: 10_000,
        settings: { timeoutMs: 400 },
        onOutcome: (one) => {
          if (one.index !== 1_000) return;
          proxy.swallowReplies();
          setTimeout(() => void proxy.restore(), 1_000);
        },
      },
    );
    expect(fault).toBeUndefined();
    const unknown = count(outcomes, 'unknown');
    expect(unknown).toBeGreaterThan(0);
    expect(count(outcomes, 'ok') + unknown).toBe(5_000);
    const value = Number(await server.cli('get', 'n'));
    expect(value).toBeGreaterThanOrEqual(count(outcomes, 'ok'));
    expect(value).toBeLessThanOrEqual(5_000);
  });

  it('takes an answer that is not Redis’s protocol for a lost connection', async () => {
    const login = await startProxy(server.port);
    const liar = createServer((socket) => {
      let greeted = false;
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (greeted || chunk.includes('INCR')) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
        else {
          greeted = true;
          socket.write(
            `*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:7\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n+OK\r\n$18\r\nrun_id:0123456789a\r\n`,
          );
        }
      });
    });
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const address = liar.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const error = await openAgent({ url: `redis://127.0.0.1:${port}` }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OpsError);
    liar.close();
    await login.stop();
  });
});

describe('a reader and a source that take their time', () => {
  it('hold the stream back: what is in flight stays bounded however long the source', async () => {
    let most = 0;
    await run(
      repeat(150_000, () => ['INCR', 'n']),
      {
        at: server.url,
        onOutcome: async (one) => {
          if (one.index % 5_000 !== 4_999 || one.index > 60_000) return;
          await new Promise((resolve) => setTimeout(resolve, 20));
          most = Math.max(most, Number(await server.cli('get', 'n')) - one.index);
        },
      },
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(70_000);
    expect(await server.cli('get', 'n')).toBe('150000');
  });

  it('give outcomes while the source still waits', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow(): AsyncGenerator<PipelineCommand> {
      yield ['SET', 'a', '1'];
      await held; // nothing more until the first outcome was seen
      yield ['GET', 'a'];
    }
    const { outcomes } = await run(slow(), { onOutcome: (one) => (one.index === 0 ? release() : undefined) });
    expect(outcomes.map((one) => one.reply)).toEqual(['OK', '1']);
  });

  it('stop at an interruption with every outcome of what was sent', async () => {
    const stop = new AbortController();
    const { outcomes } = await run(
      repeat(500_000, () => ['INCR', 'n']),
      {
        signal: stop.signal,
        onOutcome: (one) => {
          if (one.index === 10_000) stop.abort();
        },
      },
    );
    expect(outcomes.length).toBeLessThan(500_000);
    expect(Number(await server.cli('get', 'n'))).toBe(outcomes.length);
  });

  it('hold up nobody who breaks off or interrupts while the source waits for ever', async () => {
    let ended = 0;
    const waiting = (): AsyncIterable<PipelineCommand> => ({
      [Symbol.asyncIterator]() {
        let given = 0;
        return {
          next: () => {
            given += 1;
            if (given === 1) return Promise.resolve({ done: false, value: ['SET', 'a', '1'] });
            return new Promise<never>(() => undefined);
          },
          return: () => {
            ended += 1;
            return Promise.resolve({ done: true, value: undefined });
          },
        };
      },
    });
    const agent = await openAgent({ url: server.url });
    for await (const one of agent.pipeline(waiting())) {
      expect(one.outcome).toBe('ok');
      break;
    }
    const stop = new AbortController();
    const outcomes: PipelineOutcome[] = [];
    setTimeout(() => stop.abort(), 50);
    for await (const one of agent.pipeline(waiting(), { signal: stop.signal })) outcomes.push(one);
    expect(outcomes.map((one) => one.outcome)).toEqual(['ok']);
    await agent.close();
    expect(ended).toBe(2); // each was told to end, and its next(), which never comes, was not waited for
  });

  it('pass on the fault of the source, after the outcomes of what it gave', async () => {
    function* broken(): Generator<PipelineCommand> {
      yield ['SET', 'a', '1'];
      yield ['SET', 'b', '2'];
      throw new Error('the disk went away');
    }
    const { outcomes, fault } = await run(broken());
    expect(String(fault)).toContain('the disk went away');
    expect(outcomes.length).toBeLessThanOrEqual(2);
    expect(await server.cli('dbsize')).toBe(String(outcomes.length));
  });
});

describe('what a stream may not send', () => {
  it.each([
    ['MULTI', ['MULTI']],
    ['a blocking command', ['BLPOP', 'k', '0']],
    ['SHUTDOWN', ['SHUTDOWN']],
    ['CONFIG SET', ['CONFIG', 'SET', 'maxmemory', '1']],
    ['an unknown command', ['NOSUCHCOMMAND', 'x']],
  ])(
    '%s: refused with its index; what came before has its outcomes, and nothing after it is sent',
    async (_, command) => {
      const { outcomes, fault } = await run([['SET', 'a', '1'], command, ['SET', 'b', '2']]);
      expect(fault).toBeInstanceOf(OpsError);
      expect((fault as OpsError).code).toBe('refused');
      expect((fault as OpsError).message).toContain('command 1');
      expect(outcomes.map((one) => one.outcome)).toEqual(['ok']);
      expect(await server.cli('exists', 'b')).toBe('0');
    },
  );

  it('a key outside the prefixes of the target', async () => {
    const { outcomes, fault } = await run(
      [
        ['SET', 'app:a', '1'],
        ['SET', 'b', '2'],
      ],
      { settings: { caps: { prefixes: ['app:'] } } },
    );
    expect((fault as OpsError).message).toContain('prefix');
    expect(outcomes.length).toBe(1);
  });

  it('what destroys data on production, unless a person named the target', async () => {
    const settings = { tag: 'production', name: 'live' } as const;
    const refused = await run([['DEL', 'a']], { settings });
    expect((refused.fault as OpsError).code).toBe('refused');
    expect((await run([['DEL', 'a']], { settings, typedName: 'live' })).outcomes.length).toBe(1);
    expect(
      (
        await run(
          [
            ['INCR', 'a'],
            ['GET', 'a'],
          ],
          { settings },
        )
      ).outcomes.length,
    ).toBe(2);
  });
});
