/** Commands that reconfigure, reroute or stop the server for everybody, or load code into it: how servers are taken over. */

import type { Argv } from '../../catalog/command.ts';
import type { LibraryFacts } from '../../plan/target.ts';
import { eachCall, eachCommand, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { hasOption, listed, spoken, word } from '../words.ts';

/** SEC001: administration of the server; a warning where only scripts, functions or a setting are concerned. */
export const sec001: Rule = {
  code: 'SEC001',
  severity: 'error',
  title: 'a command that reconfigures, reroutes or stops the server',
  check: (subject) => ({
    findings: [
      ...eachCommand(subject, (name, { argv }) => judge(name, argv, subject.target?.libraries)),
      ...eachCall(subject, (name, argv) => judge(name, argv)),
    ],
  }),
};

const refused: Readonly<Record<string, string>> = {
  'module|load': 'It runs native code inside the server.',
  'module|loadex': 'It runs native code inside the server.',
  'module|unload': 'Keys of its types become unusable.',
  debug: 'DEBUG can crash or stop the server, and DEBUG OBJECT serialises the whole value.',
  replicaof: 'The server drops its data set and copies the one of another.',
  slaveof: 'The server drops its data set and copies the one of another.',
  failover: 'The primary changes; writes that are not replicated are lost if it is forced.',
  'cluster|failover': 'The primary of the slots changes; with FORCE or TAKEOVER acknowledged writes are lost.',
  'cluster|reset': 'The node forgets the cluster, and with HARD its identity.',
  'cluster|forget': 'A node is removed from the cluster.',
  'cluster|flushslots': 'The node gives up all its slots: their keys cannot be reached.',
  'cluster|delslots': 'The slots have no owner any more: their keys cannot be reached.',
  'cluster|delslotsrange': 'The slots have no owner any more: their keys cannot be reached.',
  'cluster|setslot': 'The owner of a slot changes; done by hand it splits or loses keys.',
  shutdown: 'The server stops; with NOSAVE everything since the last save is lost.',
  migrate:
    'Keys are moved to another server, with credentials on the command line, and the server is blocked meanwhile.',
  'acl|setuser': 'Rights change at once, for connected clients too.',
  'acl|deluser': "The user's connections are closed at once.",
  'acl|load': 'All users are replaced by those of the file.',
};
const fileSettings: ReadonlySet<string> = new Set([
  'DIR',
  'DBFILENAME',
  'APPENDFILENAME',
  'APPENDDIRNAME',
  'ACLFILE',
  'LOGFILE',
  'REQUIREPASS',
  'MASTERAUTH',
  'MASTERUSER',
  'PROTECTED-MODE',
  'ENABLE-DEBUG-COMMAND',
  'ENABLE-MODULE-COMMAND',
  'ENABLE-PROTECTED-CONFIGS',
]);

function judge(name: string, argv: Argv, libraries?: readonly LibraryFacts[]): Said | undefined {
  // DEBUG has subcommands in some tables and none in others
  const why = refused[name] ?? refused[name.split('|')[0] === 'debug' ? 'debug' : ''];
  if (why !== undefined) return said(spoken(name), why, 'error');
  if (name === 'config|set') return configSet(argv);
  if (name === 'script|flush') {
    return said('SCRIPT FLUSH', "Every client's EVALSHA answers NOSCRIPT until it loads its script again.", 'warning');
  }
  const all = name === 'function|flush' || (name === 'function|restore' && hasOption(argv, 3, 'FLUSH'));
  if (all || name === 'function|delete') {
    const going = libraries?.filter(({ library }) => all || library === word(argv, 2)) ?? [];
    const fails = "Every client's FCALL fails until the library is loaded again.";
    return said(spoken(name), going.length === 0 ? fails : `${whatGoes(going)} ${fails}`, 'warning');
  }
  return undefined;
}

function whatGoes(libraries: readonly LibraryFacts[]): string {
  const functions = libraries.flatMap((one) => one.functions.map(({ name }) => name));
  const names = listed(libraries.map(({ library }) => library));
  return `${libraries.length === 1 ? 'A library goes' : `${libraries.length} libraries go`} (${names}), with the functions ${listed(functions)}.`;
}

function configSet(argv: Argv): Said {
  const names = argv.slice(2).flatMap((_, index) => (index % 2 === 0 ? [word(argv, index + 2) ?? ''] : []));
  const dangerous = names.find((setting) => fileSettings.has(setting));
  return dangerous === undefined
    ? said(
        'CONFIG SET',
        'The setting changes for every client at once, and is lost at restart unless it is rewritten.',
        'warning',
      )
    : said(
        `CONFIG SET ${dangerous.toLowerCase()}`,
        'It decides where the server writes files or who may do what: the usual way to take a server over.',
        'error',
      );
}

function said(what: string, why: string, severity: 'error' | 'warning'): Said {
  return {
    message: `${what} ${severity === 'error' ? 'administers the server' : 'affects every client'}`,
    why,
    fix: 'Do it by hand, as an operator with rights of its own, not in a data operation.',
    severity,
  };
}
