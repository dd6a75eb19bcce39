/** What the suite wrote: a folder for each scenario, with its checks as JSON. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** All checks of a run: { scenario, id, status, errorMessage }. */
export async function checksIn(folder) {
  const scenarios = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    scenarios.map(async (scenario) =>
      JSON.parse(await readFile(join(folder, scenario, 'checks.json'), 'utf8')).map((check) => ({
        ...check,
        scenario: scenario.replace(/^server-|-\d{4}-\d\d-\d\dT.*$/g, ''),
      })),
    ),
  );
  return found.flat();
}
