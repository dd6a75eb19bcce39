/** A command that is newer than the server is refused; better known before the run than in the middle of it. */
import type { Argv } from '../../catalog/command.ts';
import { errorOf } from '../../catalog/errors.ts';
import { findCommand } from '../../catalog/lookup.ts';
import type { Server } from '../../plan/target.ts';
import { speaks } from '../facts.ts';
import { at, eachCall, type Said } from '../findings.ts';
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
      const said = tooNew(server, command.argv, 'inside MULTI that aborts the whole transaction');
      return said ? [at(command, said)] : [];
    });
    const ends = 'the script ends there, and what it wrote before stays';
    return { findings: [...findings, ...eachCall(subject, (_name, argv) => tooNew(server, argv, ends))] };
  },
};

function tooNew(server: Server, argv: Argv, then: string): Said | undefined {
  const info = findCommand(argv);
  if (!info || !/^\d+\.\d+/.test(info.since) || speaks(server, info.since)) return undefined;
  return {
    message: `${spoken(info.name)} is known from Redis ${info.since} on; this server is ${server.redis_version}`,
    why: `The server answers "unknown command"; ${then}.`,
    fix: 'Use a command that this server has, or a newer server.',
  };
}
