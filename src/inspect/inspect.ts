/** Questions in, Target out: the only reading that planning does. */

import { OpsError } from '../base/ops-error.ts';
import type { Target } from '../plan/target.ts';
import type { Connection } from '../redis/connection.ts';
import { knownScripts, permissions, serverOrBusy } from './answers.ts';
import { inspectCluster } from './cluster.ts';
import type { Where } from './info.ts';
import { inspectKeys } from './keys.ts';
import { libraries } from './libraries.ts';
import { inspectListed } from './listed.ts';
import { liveCommands } from './live-commands.ts';
import { nativeCommands } from './native.ts';
import type { Question } from './questions.ts';
import { inspectSelection } from './select.ts';

/** Answers the questions on a connection of their own. Throws OpsError when the server cannot be inspected or is of a kind that redops does not run on. */
export async function inspect(
  connection: Connection,
  questions: readonly Question[],
  where: Where & { name: string },
): Promise<Target> {
  if (connection.nodes()[0]?.id !== undefined) return inspectCluster(connection, questions, where);
  const lease = await connection.lease();
  try {
    await lease.send(['CLIENT', 'NO-TOUCH', 'ON']); // 7.2 and later; an error reply elsewhere changes nothing
    const { identity, server } = await serverOrBusy(lease, questions, where);
    if (server.busy) return { identity, name: where.name, server, keys: [], selections: [], scripts: [] };
    if (server.cluster) {
      throw new OpsError('unsupported', 'this is one node of a cluster, reached in a way that leads to no other node', {
        remedy: 'Name the cluster by TCP: redis+cluster://host:port,host:port.',
      });
    }
    const keys = await inspectKeys(
      lease,
      questions.flatMap((question) => (question.ask === 'key' ? [question.key] : [])),
    );
    const selections = [];
    for (const question of questions) {
      if (question.ask === 'selection') selections.push(await inspectSelection(lease, question.selection, server));
      if (question.ask === 'listed') selections.push(await inspectListed(lease, question.selection, question.listed));
    }
    const acl = await permissions(lease, identity.user, questions);
    const native = await nativeCommands(lease, identity.user, questions);
    const unlisted = await liveCommands(lease, questions);
    const known = await libraries(lease, questions);
    return {
      identity,
      name: where.name,
      server,
      keys,
      selections,
      scripts: await knownScripts(lease, questions),
      ...(acl ? { acl } : {}),
      ...(native ? { native } : {}),
      ...(unlisted ? { commands: unlisted } : {}),
      ...(known ? { libraries: known } : {}),
      ...(where.access ? { access: where.access } : {}),
    };
  } finally {
    await lease.close();
  }
}
