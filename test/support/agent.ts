/** An agent on a test's server, and the short way from a request to its report. */
import { expect } from 'vitest';
import { type Agent, type ApplyOptions, openAgent } from '../../src/agent.ts';
import { OpsError } from '../../src/base/ops-error.ts';
import type { Event } from '../../src/plan/event.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { Report } from '../../src/plan/report.ts';

/** Opens an agent, hands it to `use`, and closes it whatever happens. */
export async function withAgent<T>(
  url: string,
  use: (agent: Agent) => Promise<T>,
  settings: Partial<Parameters<typeof openAgent>[0]> = {},
): Promise<T> {
  const agent = await openAgent({ url, ...settings });
  try {
    return await use(agent);
  } finally {
    await agent.close();
  }
}

/** The plan of a request that can be planned. */
export async function planOf(agent: Agent, request: unknown): Promise<Plan> {
  const { plan, diagnostics } = await agent.plan(request);
  expect(diagnostics).toEqual([]);
  return plan!;
}

/** Runs a request or a plan to its report, which must be a valid Report document. */
export async function applied(
  agent: Agent,
  document: unknown,
  options: ApplyOptions = { yes: true },
  onEvent?: (event: Event) => void,
): Promise<Report> {
  const run = await agent.apply(document, options);
  if (!('events' in run)) throw new Error(`no plan: ${JSON.stringify(run.diagnostics)}`);
  for await (const event of run.events) onEvent?.(event);
  return Report.parse(JSON.parse(JSON.stringify(await run.report)));
}

/** The OpsError that a promise rejects with. */
export async function faultOf(promise: Promise<unknown>): Promise<OpsError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OpsError);
  return error as OpsError;
}
