/** The library: connect, then plan, apply, explain; lint needs no server. */

/** Connects to a target; the settings say which. */
export {
  type Agent,
  type AgentSettings,
  type ApplyOptions,
  type LintResult,
  lintFiles,
  openAgent,
  type Planned,
  type ResumeOptions,
  type Run,
} from './agent.ts';
/** Words of the documents, as types. */
export type { Bytes } from './base/bytes.ts';
/** The one error class, with its closed set of codes. */
export { type OpsCode, OpsError } from './base/ops-error.ts';
/** `connect(url)`: the agent with methods that return plain documents. */
export { connect, type Redops } from './connect.ts';
/** Commands without a plan: `redops.pipeline(commands)`. */
export type { PipelineCommand, PipelineOptions, PipelineOutcome } from './pipeline.ts';
/** The documents: each is a zod schema and its type. */
export { Diagnostic, Span, Unchecked } from './plan/diagnostic.ts';
export { Estimate } from './plan/estimate.ts';
export type { Event } from './plan/event.ts';
export { Plan } from './plan/plan.ts';
export { CommandResult, Report } from './plan/report.ts';
export { Request, type RequestInput } from './plan/request.ts';
export type { ScriptFixturesInput as ScriptFixtures } from './plan/script-fixtures.ts';
export { ScriptTestReport } from './plan/script-results.ts';
export { Step } from './plan/step.ts';
export { Target } from './plan/target.ts';
/** A transaction that runs many times: `redops.prepare(request)`. */
export type { PreparedOutcome, PreparedTransaction, PrepareOptions } from './prepared.ts';
/** Tests of a script on throwaway servers. */
export { type TestScriptOptions, testScript } from './script-test/test-script.ts';
/** Read, decide and write at once: `redops.transaction(keys, async (tx) => commands)`. */
export type { RunTransaction } from './transaction.ts';
export type {
  TransactionError,
  TransactionFunction,
  TransactionKey,
  TransactionOptions,
  TransactionReader,
  TransactionResult,
} from './transaction-types.ts';
