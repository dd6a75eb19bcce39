/** Which redis-server to start where a throwaway server is wanted: for the demo, and for tests of scripts. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { OpsError } from '../base/ops-error.ts';

/** What of the environment decides. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** $REDOPS_SERVER, else redis-server or valkey-server on PATH. Rejects with OpsError unreachable; `otherwise` is what the user can do beside installing one. */
export async function serverProgram(environment: Environment, otherwise: string): Promise<string> {
  if (environment.REDOPS_SERVER) return environment.REDOPS_SERVER;
  for (const program of ['redis-server', 'valkey-server']) {
    const found = await onPath(program, environment);
    if (found !== undefined) return found;
  }
  throw new OpsError('unreachable', 'there is no redis-server or valkey-server on PATH', {
    remedy: `Install one, or ${otherwise}.`,
  });
}

async function onPath(program: string, { PATH = '' }: Environment): Promise<string | undefined> {
  for (const folder of PATH.split(delimiter)) {
    if (isAbsolute(folder) && (await executable(join(folder, program)))) return join(folder, program);
  }
  return undefined;
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
