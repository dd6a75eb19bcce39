/** KEYS walks the whole keyspace in one call; the server answers nobody until it is done. */
import { formatCount } from '../../base/units.ts';
import { eachCommand } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { shown } from '../words.ts';

/** KEY001: the KEYS command. */
export const key001: Rule = {
  code: 'KEY001',
  severity: 'error',
  title: 'KEYS visits every key in one blocking call',
  check: (subject) => ({
    findings: eachCommand(subject, (name, { argv }) => {
      if (name !== 'keys') return undefined;
      const pattern = argv[1] === undefined ? "'<pattern>'" : `'${shown(argv[1])}'`;
      const keys = subject.target?.server.keys;
      const cost = `about 0.9 us for each key of the database${keys === undefined ? '' : `, ${here(keys)}`}`;
      return {
        message: 'KEYS visits every key of the database in one call',
        why: `The server is blocked for the whole walk: ${cost}; no other client is answered meanwhile.`,
        fix: `List the keys by SCAN, a page at a time: redops keys find ${pattern}`,
      };
    }),
  }),
};

function here(keys: number): string {
  const ms = keys * 0.0009;
  return `with ${formatCount(keys)} here now: ${ms < 1 ? 'under 1' : Math.round(ms)} ms`;
}
