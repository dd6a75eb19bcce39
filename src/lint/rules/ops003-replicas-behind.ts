/**
 * A primary that writes faster than a replica reads fills that replica's output buffer, until it is cut off and has to be
 * synchronised as a whole: a fork, and the whole data set over the network.
 */
import { formatSize } from '../../base/units.ts';
import { guards } from '../../plan/guards.ts';
import type { Server } from '../../plan/target.ts';
import { howToGive } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { isLarge, sizesUnknown, writesOf } from '../writes.ts';

/** OPS003: a large write while a replica, or a client's output buffer, is over the guard that runs make way for. */
export const ops003: Rule = {
  code: 'OPS003',
  severity: 'warning',
  title: 'replicas or readers do not keep up, and the plan writes a lot',
  check(subject) {
    const server = subject.target?.server;
    if (!subject.draft || !server) return { findings: [] };
    const over = overGuard(server.load ?? {});
    const known = server.load?.bytes_behind !== undefined;
    if (over === undefined && known) return { findings: [] };
    const writes = writesOf(subject);
    const large = writes.steps.find(isLarge);
    if (large && over !== undefined) return { findings: [{ at: large.at, ...say(over) }] };
    const notTold = `needs to know how far the replicas are (INFO replication): ${howToGive(subject)}`;
    const unchecked = large ? notTold : sizesUnknown(subject, writes);
    return unchecked === undefined ? { findings: [] } : { findings: [], unchecked };
  },
};

function overGuard(load: NonNullable<Server['load']>): string | undefined {
  const { bytes_behind = 0, silent_seconds = 0, replica_buffers = 0, output_buffer = 0 } = load;
  if (bytes_behind >= guards.bytesBehind) return `a replica is ${formatSize(bytes_behind)} behind`;
  if (silent_seconds >= guards.silentSeconds)
    return `a replica that is behind has been silent for ${silent_seconds} seconds`;
  if (replica_buffers >= guards.replicaBuffers)
    return `${formatSize(replica_buffers)} wait in the output buffers of replicas`;
  if (output_buffer >= guards.outputBuffer) return `${formatSize(output_buffer)} wait in the output buffer of a client`;
  return undefined;
}

function say(over: string) {
  return {
    message: `${over}, and the plan writes a lot`,
    why: 'What is written is sent to every replica too. A buffer over client-output-buffer-limit is cut off, and a replica is then synchronised as a whole. A run pauses or slows down while this lasts, and takes longer.',
    fix: 'Let the replicas catch up first (INFO replication: offset and lag), or give a rate: --rate 1000.',
  };
}
