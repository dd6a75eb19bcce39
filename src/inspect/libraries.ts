/** The libraries of functions that a server has: FUNCTION LIST, which is 7.0 and later. */
import { ReplyError } from '../formats/resp.ts';
import type { LibraryFacts } from '../plan/target.ts';
import type { Lease } from '../redis/connection.ts';
import { type Reply, replyText } from '../redis/reply.ts';
import type { Question } from './questions.ts';

/** Its libraries, where somebody asks; undefined where nobody does, and where the server does not say (before 7.0, not permitted). */
export async function libraries(
  lease: Pick<Lease, 'send'>,
  questions: readonly Question[],
): Promise<LibraryFacts[] | undefined> {
  if (!questions.some(({ ask }) => ask === 'libraries')) return undefined;
  const reply = await lease.send(['FUNCTION', 'LIST']);
  if (reply instanceof ReplyError) return undefined;
  return listed(reply)
    .map((entry) => ({
      library: textOf(entry, 'library_name'),
      functions: listed(field(entry, 'functions'))
        .map((one) => ({
          name: textOf(one, 'name'),
          flags: listed(field(one, 'flags')).map((flag) => replyText(flag) ?? ''),
        }))
        .sort(byName),
    }))
    .sort((a, b) => (a.library < b.library ? -1 : 1));
}

/** What the primaries of a cluster have, with those that lack a library; undefined where one of them does not say. */
export function mergeLibraries(
  nodes: readonly { readonly address: string; readonly libraries: readonly LibraryFacts[] | undefined }[],
): LibraryFacts[] | undefined {
  if (nodes.some(({ libraries: known }) => known === undefined)) return undefined;
  const all = new Map<string, LibraryFacts>();
  for (const { libraries: known = [] } of nodes) {
    for (const one of known) if (!all.has(one.library)) all.set(one.library, one);
  }
  return [...all.values()].map((one) => {
    const missing_on = nodes
      .filter((node) => !node.libraries?.some((own) => alike(own, one)))
      .map((node) => node.address);
    return missing_on.length === 0 ? one : { ...one, missing_on };
  });
}

function alike(a: LibraryFacts, b: LibraryFacts): boolean {
  return a.library === b.library && JSON.stringify(a.functions) === JSON.stringify(b.functions);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function listed(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

/** A named field of an entry, in which names and values alternate. */
function field(entry: Reply, name: string): Reply | undefined {
  const items = listed(entry);
  const at = items.findIndex((item, index) => index % 2 === 0 && replyText(item) === name);
  return at === -1 ? undefined : items[at + 1];
}

function textOf(entry: Reply, name: string): string {
  const value = field(entry, name);
  return value === undefined ? '' : (replyText(value) ?? '');
}
