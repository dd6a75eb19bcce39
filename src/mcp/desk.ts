/** What every tool works with: the agent, the state directory behind it, the policy, the runs in motion. */
import type { CallToolResult, InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';
import type { loadDesk, loadRuns } from '../agent.ts';
import type { ResolvedPolicy } from '../plan/policy.ts';
import type { HeldAgent } from './held-agent.ts';
import type { Jobs } from './jobs.ts';
import type { Redact } from './redact.ts';

/** The desk of one server. */
export interface Desk {
  readonly agent: HeldAgent;
  readonly stateDir: string;
  readonly policy: ResolvedPolicy;
  readonly redact: Redact;
  readonly jobs: Jobs;
  readonly files: Awaited<ReturnType<typeof loadDesk>>;
  readonly runs: Awaited<ReturnType<typeof loadRuns>>;
  /** Milliseconds that a call waits for its run before it answers with a handle. */
  readonly waitMs: number;
  readonly approvals: ElicitedApprovals;
}

/** One tool call: who asks, and how to speak to them. */
export interface Call {
  readonly context: ServerContext;
  /** What the client calls itself: for the record, never trusted. */
  readonly client: string;
  /** True when the client can ask its person. */
  readonly elicits: boolean;
}

/** What came of a call, for the audit log. */
export interface Outcome {
  readonly result: CallToolResult | InputRequiredResult;
  readonly record?: Readonly<Record<string, unknown>>;
}

/** States of approvals that were asked for in a dialog: minted here, sealed, and each good for one answer. */
export interface ElicitedApprovals {
  /** The sealed state of a question about a plan. */
  ask(digest: string, context: ServerContext): Promise<string>;
  /** True once, when the state that came back is that of the question about this plan. */
  answered(digest: string, context: ServerContext): boolean;
  /** Checks what a client sent back; rejects when it is not what was minted here. */
  verify(state: string, context: ServerContext): Promise<unknown>;
}
