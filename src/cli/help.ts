/** The help of the command as a whole, from the one list of verbs. Loads nothing else: it decides how fast --help is. */
import { verbs } from '../verbs.ts';

const groups = [
  ['operate', 'Operate: builds a request, plans it, shows the plan, asks, applies it'],
  ['understand', 'Understand'],
  ['runs', 'Runs'],
  ['serve', 'Serve'],
  ['other', 'Other'],
] as const;

/** The text of `redops --help`. */
export function topHelp(): string {
  const lists = groups.map(([group, title]) => {
    const lines = verbs
      .filter((verb) => verb.group === group)
      .map(({ name, summary }) => `  ${name.padEnd(9)}${summary}`);
    return [`${title}:`, ...lines].join('\n');
  });
  return `Usage: redops <verb> [options]

The operations agent for Redis. A request becomes a plan; the plan is linted,
priced on live data, approved, and exactly that plan runs.

${lists.join('\n\n')}

The server: --url redis://host:port/db, or REDIS_URL, or --target NAME of
redops.yaml. Every verb: redops <verb> --help.

Exit status: 0 done; 1 operational failure; 2 wrong request or arguments;
3 refused; 4 ran, with failed or unknown items; 130 interrupted.
`;
}
