/**
 * Approvals in the client's own dialog. The state that goes to the client and comes back is sealed with a key of this
 * process, bound to one plan and good for one answer; a client that answers by itself is why this is off by default.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createRequestStateCodec } from '@modelcontextprotocol/server';
import type { ElicitedApprovals } from './desk.ts';

interface Question {
  readonly digest: string;
  readonly id: string;
}

/** How long a question may be answered, in seconds. */
const answerSeconds = 600;
const mostOpen = 100;

/** Nothing asked yet. */
export function createElicited(): ElicitedApprovals {
  const codec = createRequestStateCodec<Question>({ key: randomBytes(32), ttlSeconds: answerSeconds });
  const open = new Set<string>();
  return {
    ask: async (digest, context) => {
      const id = randomUUID();
      open.add(id);
      if (open.size > mostOpen) open.delete([...open][0] ?? '');
      return codec.mint({ digest, id }, context);
    },
    answered: (digest, context) => {
      const question = context.mcpReq.requestState<Question>();
      return question !== undefined && question.digest === digest && open.delete(question.id);
    },
    verify: (state, context) => codec.verify(state, context),
  };
}
