/** A command that the server does not have is refused; better known before the run than in the middle of it. */
import type { Argv } from '../../catalog/command.ts';
import { errorOf } from '../../catalog/errors.ts';
import { admits } from '../../catalog/keys.ts';
import { commandName, findCommand } from '../../catalog/lookup.ts';
import type { Server, Target } from '../../plan/target.ts';
import { unlistedCommands } from '../../plan/unlisted.ts';
import { speaks } from '../facts.ts';
import { at, eachCall, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { listed, shown, spoken } from '../words.ts';

/**
 * VER001: a command that came after the server's version, judged for Redis and redict, whose versions its `since` speaks
 * of; and one that the table does not have, by what the server itself said of it.
 */
export const ver001: Rule = {
  code: 'VER001',
  severity: 'error',
  title: 'a command that the server does not have',
  error: errorOf('ERR').code,
  check(subject) {
    const { target } = subject;
    if (!target) return { findings: [] };
    const judge = (argv: Argv, then: string): Said | undefined =>
      unknownTo(target, argv, then) ?? tooNew(target.server, argv, then);
    const findings = subject.commands.flatMap((command) => {
      const said = judge(command.argv, 'inside MULTI that aborts the whole transaction');
      return said ? [at(command, said)] : [];
    });
    const ends = 'the script ends there, and what it wrote before stays';
    return { findings: [...findings, ...eachCall(subject, (_name, argv) => judge(argv, ends))] };
  },
};

/** A command that only the server could know, and does not, or takes with another number of arguments. */
function unknownTo(target: Target, argv: Argv, then: string): Said | undefined {
  const asked = target.commands?.find(({ name }) => name === commandName(argv));
  if (asked === undefined) return undefined;
  const name = spoken(asked.name);
  if (asked.facts === undefined)
    return {
      message: `${name} is not known to this server`,
      why: `The server answers "unknown command"; ${then}.`,
      fix: 'Use a command that this server has, or load the module that brings it.',
    };
  const { arity, subcommands } = findCommand(argv, unlistedCommands(target)) ?? {
    ...asked.facts,
    subcommands: undefined,
  };
  if (subcommands !== undefined && argv[1] !== undefined)
    return {
      message: `${name} has no subcommand ${shown(argv[1])} on this server`,
      why: `The server answers "unknown subcommand"; ${then}.`,
      fix: `Its subcommands: ${listed(subcommands)}.`,
    };
  if (admits(arity, argv.length)) return undefined;
  const wanted = Math.abs(arity) - 1;
  return {
    message: `${name} takes ${arity < 0 ? 'at least ' : ''}${wanted} argument${wanted === 1 ? '' : 's'} on this server, not ${argv.length - 1}`,
    why: `The server answers "wrong number of arguments"; ${then}.`,
    fix: `See what COMMAND INFO ${name} says of its arguments.`,
  };
}

function tooNew(server: Server, argv: Argv, then: string): Said | undefined {
  if (server.engine !== 'redis' && server.engine !== 'redict') return undefined;
  const info = findCommand(argv);
  if (!info || !/^\d+\.\d+/.test(info.since) || speaks(server, info.since)) return undefined;
  return {
    message: `${spoken(info.name)} is known from Redis ${info.since} on; this server is ${server.redis_version}`,
    why: `The server answers "unknown command"; ${then}.`,
    fix: 'Use a command that this server has, or a newer server.',
  };
}
