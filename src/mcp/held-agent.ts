/**
 * One agent for all calls of a server that lives long: opened when it is first needed, and opened anew after its
 * connection was lost. Planning and the start of a run only read until something is sent, so they may be repeated.
 */
import type { Agent } from '../agent.ts';
import { OpsError } from '../base/ops-error.ts';

/** What the tools use of an agent. */
export type ServedAgent = Pick<Agent, 'target' | 'plan' | 'apply' | 'resume' | 'judge' | 'close'>;

/** The agent, whenever it is needed. */
export interface HeldAgent {
  /** Runs what only reads, or fails before anything is sent; once more on a new connection where the old one was lost. */
  use<Result>(act: (agent: ServedAgent) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Holds what `open` gives. */
export function holdAgent(open: () => Promise<ServedAgent>): HeldAgent {
  let held: Promise<ServedAgent> | undefined;
  const current = (): Promise<ServedAgent> => {
    if (held) return held;
    const opening = open();
    held = opening;
    opening.catch(() => {
      if (held === opening) held = undefined; // the next call tries again
    });
    return opening;
  };
  const drop = async (lost: Promise<ServedAgent>): Promise<void> => {
    if (held === lost) held = undefined;
    await lost.then((agent) => agent.close()).catch(() => undefined);
  };
  const attempt = async <Result>(act: (agent: ServedAgent) => Promise<Result>, again: boolean): Promise<Result> => {
    const asked = current();
    try {
      return await act(await asked);
    } catch (error) {
      if (!isLost(error)) throw error;
      await drop(asked);
      if (!again || error.code !== 'connection_lost') throw error;
      return attempt(act, false);
    }
  };
  return {
    use: (act) => attempt(act, true),
    close: async () => {
      if (held) await drop(held);
    },
  };
}

function isLost(error: unknown): error is OpsError {
  return error instanceof OpsError && lost.has(error.code);
}

const lost: ReadonlySet<OpsError['code']> = new Set([
  'connection_lost',
  'connection_timeout',
  'unreachable',
  'auth',
] as const);
