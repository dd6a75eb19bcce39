/**
 * What the server says of commands that the table does not have: of its modules, mostly. One question for all of them,
 * and none where every command is known.
 */
import { type Decoded, ReplyError } from '../formats/resp.ts';
import type { CommandFacts, Target } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';
import type { Question } from './questions.ts';

/** The commands that somebody asks for, with their subcommands: undefined where nobody asks, or the server does not say. */
export async function liveCommands(
  lease: Pick<Lease, 'send'>,
  questions: readonly Question[],
): Promise<Target['commands']> {
  const names = questions.flatMap((question) => (question.ask === 'command' ? [question.name] : []));
  if (names.length === 0) return undefined;
  const reply = await lease.send(['COMMAND', 'INFO', ...names]);
  if (!Array.isArray(reply) || reply.length !== names.length) return undefined;
  return names.flatMap((name, index) => described(name, reply[index] ?? null));
}

/** A name that the server does not have has no facts; a renamed command goes by the name that it was asked by. */
function described(name: string, entry: Decoded): NonNullable<Target['commands']> {
  if (!Array.isArray(entry) || entry.length < 6) return [{ name }];
  const [, arity, flags, first, last, step, categories, , specs, subcommands] = entry;
  const words = texts(flags);
  const keySpecs = Array.isArray(specs)
    ? specs.map(keySpecOf)
    : byPlace(Number(first), Number(last), Number(step), words);
  const facts: CommandFacts = {
    arity: Number(arity),
    flags: words,
    categories: texts(categories).map((category) => category.replace(/^@/, '')),
    keySpecs,
  };
  const subs = Array.isArray(subcommands) ? subcommands : [];
  return [{ name, facts }, ...subs.flatMap((sub) => described(nameOfSub(name, sub), sub))];
}

/** A server names a subcommand with its container: `x|y`. */
function nameOfSub(container: string, entry: Decoded): string {
  const full = Array.isArray(entry) ? (replyText(entry[0] ?? null) ?? '') : '';
  return `${container}|${full.slice(full.indexOf('|') + 1).toLowerCase()}`;
}

type KeySpec = CommandFacts['keySpecs'][number];

function keySpecOf(spec: Decoded): KeySpec {
  const members = membersOf(spec);
  return {
    flags: texts(members.get('flags')),
    begin: beginOf(membersOf(members.get('begin_search'))),
    find: findOf(membersOf(members.get('find_keys'))),
  };
}

type Members = ReadonlyMap<string, Decoded>;

function beginOf(begin: Members): KeySpec['begin'] {
  const spec = membersOf(begin.get('spec'));
  switch (replyText(begin.get('type') ?? null)) {
    case 'index':
      return { index: Number(spec.get('index')) };
    case 'keyword':
      return { keyword: replyText(spec.get('keyword') ?? null) ?? '', from: Number(spec.get('startfrom')) };
    default:
      return { unknown: true };
  }
}

function findOf(find: Members): KeySpec['find'] {
  const spec = membersOf(find.get('spec'));
  const number = (name: string) => Number(spec.get(name));
  switch (replyText(find.get('type') ?? null)) {
    case 'range':
      return { range: { last: number('lastkey'), step: number('keystep'), limit: number('limit') } };
    case 'keynum':
      return { keynum: { index: number('keynumidx'), first: number('firstkey'), step: number('keystep') } };
    default:
      return { unknown: true };
  }
}

/** The places that a server before 7.0 gives: first, last (from the end where negative), step. */
function byPlace(first: number, last: number, step: number, flags: readonly string[]): KeySpec[] {
  if (flags.includes('movablekeys')) return [{ flags: ['RW'], begin: { unknown: true }, find: { unknown: true } }];
  if (first === 0) return [];
  const range = { last: last < 0 ? last : last - first, step, limit: 0 };
  return [{ flags: flags.includes('write') ? ['RW'] : ['RO'], begin: { index: first }, find: { range } }];
}

/** A map of RESP3, or names and values in turn. */
function membersOf(value: Decoded | undefined): Members {
  const pairs = value instanceof Map ? [...value].flat() : Array.isArray(value) ? value : [];
  const members = new Map<string, Decoded>();
  for (let i = 0; i + 1 < pairs.length; i += 2) members.set(replyText(pairs[i] ?? null) ?? '', pairs[i + 1] ?? null);
  return members;
}

function texts(value: Reply | undefined): string[] {
  if (!Array.isArray(value) || value instanceof ReplyError) return [];
  return value.flatMap((one) => replyText(one) ?? []);
}
