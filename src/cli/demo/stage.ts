/**
 * The server that the demo plays on: one of its own, or the one of REDIS_URL where that is certainly nobody's data: an
 * empty database of a server that counts as dev. Whatever it was, nothing of the demo is left on it.
 */
import { stat } from 'node:fs/promises';
import { openAgent } from '../../agent.ts';
import { OpsError } from '../../base/ops-error.ts';
import { counted } from '../../report/layout.ts';
import { openWire, startDemoServer } from '../../throwaway.ts';
import { type Environment, serverProgram } from '../server-program.ts';
import { seedKeys } from './seed.ts';

/** A server to play on. */
export interface Stage {
  readonly url: string;
  /** What it is, in a few words: "a throwaway server on port 40123". */
  readonly description: string;
  /** Why REDIS_URL is not used, where it is set. */
  readonly declined?: string;
  /** Takes away what the demo brought; resolves to a sentence of what is gone, and whether all of it is. */
  strike(): Promise<{ readonly clean: boolean; readonly words: string }>;
  /** The same at once, where nothing can be awaited; nothing on a server that is not the demo's own. */
  strikeSync(): void;
}

const otherStages = 'set REDOPS_SERVER to the path of one, or REDIS_URL to an empty database on this machine';

/** Chooses or starts the server. Throws OpsError unreachable when there is neither a server nor a program to start. */
export async function openStage(environment: Environment): Promise<Stage> {
  const url = environment.REDIS_URL;
  const declined = url ? await objection(url) : undefined;
  if (url && declined === undefined) return borrowed(url);
  const server = await startDemoServer(await serverProgram(environment, otherStages));
  return {
    url: server.url,
    description: `a throwaway server (process ${server.pid}, ${server.dir})`,
    ...(declined === undefined ? {} : { declined }),
    async strike() {
      await server.stop();
      const left = [running(server.pid) ? `process ${server.pid}` : '', (await exists(server.dir)) ? server.dir : ''];
      const still = left.filter((one) => one !== '');
      return still.length === 0
        ? { clean: true, words: `process ${server.pid} has ended and ${server.dir} is gone` }
        : { clean: false, words: `${still.join(' and ')} could not be removed` };
    },
    strikeSync: () => server.killSync(),
  };
}

/** Why the server of REDIS_URL is not to be played on; undefined when it is fit. */
async function objection(url: string): Promise<string | undefined> {
  try {
    const agent = await openAgent({ url });
    try {
      if (agent.target.tag !== 'dev') return `${agent.target.name} counts as production (${agent.target.reason})`;
      const keys = await keysAt(url);
      return keys === 0
        ? undefined
        : `${agent.target.name} has ${counted(keys, 'key')}, and the demo only plays where nothing is`;
    } finally {
      await agent.close();
    }
  } catch (error) {
    if (error instanceof OpsError) return error.message;
    throw error;
  }
}

function borrowed(url: string): Stage {
  return {
    url,
    description: 'the server of REDIS_URL, whose database is empty',
    async strike() {
      const wire = await openWire(url);
      try {
        await wire.load(removals());
        const left = Number(await wire.ask('DBSIZE'));
        return left === 0
          ? { clean: true, words: 'the database of REDIS_URL is empty again' }
          : {
              clean: false,
              words: `${counted(left, 'key')} in the database of REDIS_URL that the demo did not bring`,
            };
      } finally {
        await wire.close();
      }
    },
    strikeSync: () => undefined,
  };
}

function* removals(): Generator<readonly string[]> {
  let keys: string[] = [];
  for (const key of seedKeys()) {
    keys.push(key);
    if (keys.length < 500) continue;
    yield ['UNLINK', ...keys];
    keys = [];
  }
  if (keys.length > 0) yield ['UNLINK', ...keys];
}

async function keysAt(url: string): Promise<number> {
  const wire = await openWire(url);
  try {
    return Number(await wire.ask('DBSIZE'));
  } finally {
    await wire.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
