/** KEYS walks the whole keyspace in one call; the server answers nobody until it is done. */
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
      const cost =
        keys === undefined ? 'about 0.9 us for each key of the database' : `about ${ms(keys)} ms here (${keys} keys)`;
      return {
        message: 'KEYS visits every key of the database in one call',
        why: `The server is blocked for the whole walk: ${cost}; no other client is answered meanwhile.`,
        fix: `List the keys by SCAN, a page at a time: redops keys find ${pattern}`,
      };
    }),
  }),
};

function ms(keys: number): string {
  return (keys * 0.0009).toFixed(keys < 10_000 ? 1 : 0);
}
