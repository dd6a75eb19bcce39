/**
 * Whether the unit tests of src/lint notice when its code is wrong:
 *
 *   npm run test:mutation [-- Stryker argument...]
 *   npm run test:mutation -- --mutate src/lint/glob.ts,src/lint/words.ts
 *
 * What was judged already, and has not changed since, is taken from .cache/mutation/incremental.json (--force: all anew).
 * Exit status 1 when fewer mutants are noticed than stryker.config.mjs asks for. The report is .cache/mutation/report.json.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { install } from '../install.mjs';
import { root, statusOf } from '../steps.mjs';

const here = new URL('./', import.meta.url);

await install();
await install(here);
await mkdir(new URL('.cache/mutation/', root), { recursive: true });
const stryker = fileURLToPath(new URL('node_modules/.bin/stryker', here));
const config = fileURLToPath(new URL('stryker.config.mjs', here));
process.exitCode = await statusOf(stryker, ['run', config, ...process.argv.slice(2)], {});
