/**
 * From a fresh checkout to a running program in one command:
 *
 *   node scripts/bootstrap.mjs [program argument...]
 *
 * installs the packages where needed, finds a server, builds dist/, and then runs the program with REDOPS_SERVER set to
 * the server's path; its exit status is ours.
 */
import { build } from './build.mjs';
import { install } from './install.mjs';
import { obtainServer } from './servers.mjs';
import { isMain, local, statusOf, step } from './steps.mjs';

/** Brings the checkout up; resolves to the server that was found. */
export async function bootstrap() {
  await install();
  const found = await step('find a server', () => obtainServer(undefined, (line) => process.stderr.write(`${line}\n`)));
  process.stderr.write(`server: ${found.version} (${found.server})\n`);
  await build();
  return found;
}

if (isMain(import.meta.url)) {
  const { server } = await bootstrap();
  const [program, ...args] = process.argv.slice(2);
  if (program !== undefined) {
    const path = program === 'node' ? process.execPath : local(program);
    process.exitCode = await statusOf(path, args, { env: { REDOPS_SERVER: server } });
  }
}
