/** Looking can cost more than doing: these read everything, or throw away what others need for a diagnosis. */
import { eachCommand, type Said } from '../findings.ts';
import type { LintCommand, Rule } from '../rule.ts';
import { integer, optionAt } from '../words.ts';

/** OPS004: MONITOR, MEMORY USAGE SAMPLES 0, and resets of the statistics. */
export const ops004: Rule = {
  code: 'OPS004',
  severity: 'warning',
  title: 'an inspection that is expensive or destroys statistics',
  check: (subject) => ({ findings: eachCommand(subject, judge) }),
};

function judge(name: string, { argv }: LintCommand): Said | undefined {
  switch (name) {
    case 'monitor':
      return {
        message: 'MONITOR streams every command of every client',
        why: 'It costs a large part of the throughput, and shows keys and values of everybody.',
        fix: 'Use SLOWLOG GET, LATENCY DOCTOR or INFO commandstats.',
      };
    case 'memory|usage': {
      const option = optionAt(argv, 3, 'SAMPLES');
      if (option < 0 || integer(argv, option + 1) !== 0n) return undefined;
      return {
        message: 'MEMORY USAGE with SAMPLES 0 visits every element',
        why: 'On a hash with a million fields it blocks the server for 200 to 270 ms; with the default samples 0.1 ms.',
        fix: 'Leave SAMPLES out, or sample some hundred.',
      };
    }
    case 'slowlog|reset':
    case 'latency|reset':
    case 'config|resetstat':
      return {
        message: `${name.replace('|', ' ').toUpperCase()} throws statistics away`,
        why: 'Whoever looks for the cause of a problem afterwards finds nothing.',
        fix: 'Read and keep them first; differences between two readings need no reset.',
      };
    default:
      return undefined;
  }
}
