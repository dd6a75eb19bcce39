/** A command that is newer than the server is refused; better known before the run than in the middle of it. */
import { errorOf } from '../../catalog/errors.ts';
import { findCommand } from '../../catalog/lookup.ts';
import { speaks } from '../facts.ts';
import { at } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { spoken } from '../words.ts';

/** VER001: a command that came after the server's version. Judged for Redis and redict, whose versions its `since` speaks of. */
export const ver001: Rule = {
  code: 'VER001',
  severity: 'error',
  title: 'a command that is newer than the server',
  error: errorOf('ERR').code,
  check(subject) {
    const server = subject.target?.server;
    if (!server || (server.engine !== 'redis' && server.engine !== 'redict')) return { findings: [] };
    const findings = subject.commands.flatMap((command) => {
      const info = findCommand(command.argv);
      if (!info || !/^\d+\.\d+/.test(info.since) || speaks(server, info.since)) return [];
      return [
        at(command, {
          message: `${spoken(info.name)} is known from Redis ${info.since} on; this server is ${server.redis_version}`,
          why: 'The server answers "unknown command"; inside MULTI that aborts the whole transaction.',
          fix: 'Use a command that this server has, or a newer server.',
        }),
      ];
    });
    return { findings };
  },
};
