/** EXPIRE ... NX|XX|GT|LT came with Redis 7.0; an older server answers an error. */
import { errorOf } from '../../catalog/errors.ts';
import { commandName } from '../../catalog/lookup.ts';
import { howToGive, speaks } from '../facts.ts';
import { at } from '../findings.ts';
import type { LintCommand, Rule, Subject } from '../rule.ts';
import { hasOption } from '../words.ts';

/** TTL009: a conditional EXPIRE on a server before 7.0. */
export const ttl009: Rule = {
  code: 'TTL009',
  severity: 'error',
  title: 'EXPIRE with NX, XX, GT or LT on a server before 7.0',
  error: errorOf('ERR').code,
  check(subject) {
    if (byScript(subject)) return { findings: [] };
    const conditional = subject.commands.filter(isConditional);
    if (conditional.length === 0) return { findings: [] };
    const server = subject.target?.server;
    if (!server) return { findings: [], unchecked: `needs the server's version: ${howToGive(subject)}` };
    if (speaks(server, '7.0')) return { findings: [] };
    return {
      findings: conditional.map((command) =>
        at(command, {
          message: `this server (${server.redis_version}) does not know the condition of ${commandName(command.argv).toUpperCase()}`,
          why: 'NX, XX, GT and LT of the EXPIRE commands are known from Redis 7.0 on; before, the command is refused.',
          fix: 'Leave the condition out, or compare and set in a script, which is atomic: never read, then write.',
        }),
      ),
    };
  },
};

/** What redops words itself goes inside a script on such a server, except in a transaction. */
function byScript({ draft }: Subject): boolean {
  const type = draft?.request.operation_type;
  if (type !== 'expiration' && type !== 'batch') return false;
  return draft?.steps.every((step) => step.kind !== 'transaction') === true;
}

function isConditional({ argv }: LintCommand): boolean {
  return (
    ['expire', 'pexpire', 'expireat', 'pexpireat'].includes(commandName(argv)) &&
    hasOption(argv, 3, 'NX', 'XX', 'GT', 'LT')
  );
}
