/**
 * Some commands tell of, or act on, the node that they are sent to and no other: half a cluster is flushed, a script is
 * there on one node of six, a SCAN that ended has seen a third of the keys.
 */
import { inCluster } from '../clusters.ts';
import { eachCall, eachCommand, type Said } from '../findings.ts';
import type { Rule } from '../rule.ts';
import { spoken } from '../words.ts';

/** CLU003: a command of one node where the whole cluster seems to be meant. What redops itself sends to every primary is fine. */
export const clu003: Rule = {
  code: 'CLU003',
  severity: 'warning',
  title: 'a command that reaches one node of a cluster, not all',
  check(subject) {
    // of a plan redops sends the others to every primary and adds up the replies
    const reaches = subject.draft ? (name: string) => name === 'scan' : (name: string) => says.has(name);
    return inCluster(subject, [
      ...eachCommand(subject, (name) => (reaches(name) ? say(name) : undefined)),
      ...eachCall(subject, (name) => (inScripts.has(name) ? sayOfCall(name) : undefined)),
    ]);
  },
};

const keysOnly = 'Keys of the other nodes are left out, and nothing says so.';
const dataOnly = 'The other primaries keep their data.';
const codeOnly = 'On every other node it answers NOSCRIPT or "Function not found".';

/** By name: what one node alone makes of it. RANDOMKEY and DBSIZE are KEY006. */
const says: ReadonlyMap<string, string> = new Map([
  ['scan', keysOnly],
  ['keys', keysOnly],
  ['flushall', dataOnly],
  ['flushdb', dataOnly],
  ['script|load', codeOnly],
  ['script|flush', 'The other nodes keep their scripts.'],
  ['function|load', codeOnly],
  ['function|delete', 'The other nodes keep the library.'],
  ['function|flush', 'The other nodes keep their libraries.'],
  ['function|restore', codeOnly],
]);

/** A script runs on one node, whoever sends it. */
const inScripts: ReadonlySet<string> = new Set(['scan', 'keys', 'flushall', 'flushdb']);

function say(name: string): Said {
  return {
    message: `${spoken(name)} reaches one node of the cluster, not all of it`,
    why: says.get(name) ?? '',
    fix: fixOf(name),
  };
}

function sayOfCall(name: string): Said {
  return {
    message: `${spoken(name)} in a script reaches the node that runs the script, and no other`,
    why: says.get(name) ?? '',
    fix: 'Do it outside of the script, on every primary.',
  };
}

function fixOf(name: string): string {
  if (name === 'scan' || name === 'keys') return "Walk every primary: redops keys find '<pattern>'.";
  return `Send it to every primary: as a command of redops, or redis-cli --cluster call --cluster-only-masters host:port ${spoken(name)}.`;
}
