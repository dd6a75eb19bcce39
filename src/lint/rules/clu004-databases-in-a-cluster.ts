/**
 * A cluster has database 0 and no other; Valkey 9 has as many as cluster-databases says. A program that selects another
 * one goes on in database 0 when it does not look at the reply.
 */
import type { Argv } from '../../catalog/command.ts';
import { commandName } from '../../catalog/lookup.ts';
import type { Server } from '../../plan/target.ts';
import { inCluster } from '../clusters.ts';
import { howToGive, majorAtLeast } from '../facts.ts';
import { at } from '../findings.ts';
import type { LintCommand, Rule } from '../rule.ts';
import { integer, optionAt, spoken } from '../words.ts';

/** CLU004: SELECT, MOVE or COPY to a database that a cluster does not have; SWAPDB, which none allows. */
export const clu004: Rule = {
  code: 'CLU004',
  severity: 'error',
  title: 'another database than 0, in a cluster',
  check(subject) {
    const used = subject.commands.flatMap((command) => {
      const database = databaseOf(command.argv);
      return database === undefined || database === 0n ? [] : [{ command, database }];
    });
    const server = subject.target?.server;
    const databases = server && databasesOf(server);
    const wrong = used.filter(({ database }) => database === 'two' || database >= BigInt(databases ?? 1));
    const verdict = inCluster(
      subject,
      wrong.map(({ command, database }) => at(command, say(command, database, databases ?? 1))),
    );
    if (databases !== undefined || server?.cluster !== true) return verdict;
    const sure = used.filter(({ database }) => database === 'two');
    return {
      findings: sure.map(({ command, database }) => at(command, say(command, database, 1))),
      ...(used.length > sure.length && { unchecked: `needs cluster-databases (CONFIG GET): ${howToGive(subject)}` }),
    };
  },
};

/** How many databases a cluster of this server has; undefined where it does not tell. */
function databasesOf({ engine, version, databases }: Server): number | undefined {
  if (databases !== undefined) return databases;
  return engine === 'valkey' && majorAtLeast(version, 9) ? undefined : 1;
}

/** The database that the command goes to; `two` for SWAPDB. */
function databaseOf(argv: Argv): bigint | 'two' | undefined {
  switch (commandName(argv)) {
    case 'select':
      return integer(argv, 1);
    case 'move':
      return integer(argv, 2);
    case 'copy': {
      const option = optionAt(argv, 3, 'DB');
      return option < 0 ? undefined : integer(argv, option + 1);
    }
    case 'swapdb':
      return 'two';
    default:
      return undefined;
  }
}

function say({ argv }: LintCommand, database: bigint | 'two', databases: number) {
  const name = spoken(commandName(argv));
  if (database === 'two') {
    return {
      message: 'SWAPDB is not allowed in a cluster',
      why: 'The server refuses it; nothing is done.',
      fix: prefix,
    };
  }
  const here =
    databases === 1 ? 'this cluster has database 0 only' : `this cluster has databases 0 to ${databases - 1}`;
  const follows = name === 'SELECT' ? 'what follows runs in database 0, among other keys' : 'nothing is done';
  return {
    message: `${name} to database ${database}: ${here}`,
    why: `The server refuses it; ${follows}.`,
    fix: prefix,
  };
}

const prefix = 'Tell data apart by a prefix of their keys instead of a database.';
