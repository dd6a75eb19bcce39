/**
 * What a front door for agents needs beside the agent itself: plans by their digest, a note of what waits for a person, a
 * line in the audit log for every call, and the documents of runs. All of it lies in the state directory.
 */
import { readPlan } from './assemble.ts';
import type { CommandInfo } from './catalog/command.ts';
import { errorTable } from './catalog/errors.ts';
import { commandTable } from './catalog/table.ts';
import { explainPlanned } from './explaining.ts';
import type { Plan } from './plan/plan.ts';
import { Report } from './plan/report.ts';
import { createSources } from './sources.ts';
import { noteAsked } from './state/asked.ts';
import { appendAudit, verifyAudit } from './state/audit.ts';
import { loadPlan, savePlan } from './state/plans.ts';
import { readRun } from './state/run-folders.ts';

export { appendAudit, errorTable, explainPlanned, noteAsked, savePlan, verifyAudit };

/** The plan that was kept under a digest, checked against it; undefined when there is none. Rejects with OpsError tampered, usage, state. */
export async function keptPlan(stateDir: string, digest: string): Promise<Plan | undefined> {
  const document = await loadPlan(stateDir, digest);
  return document === undefined ? undefined : readPlan(document, createSources(undefined).read);
}

/** The report of a run that has ended, or ended early; undefined while there is none. Rejects with OpsError state. */
export async function keptReport(stateDir: string, runId: string): Promise<Report | undefined> {
  const stored = await readRun(stateDir, runId, () => false);
  return Report.safeParse(stored?.report).data;
}

/** What is known of a command or subcommand (`get`, `config get`, `config|get`) without a server; undefined for an unknown one. */
export function commandFacts(name: string): Omit<CommandInfo, 'grammar' | 'keySpecs'> | undefined {
  const info = commandTable().byName.get(
    name
      .trim()
      .toLowerCase()
      .replace(/[\s|]+/, '|'),
  );
  if (info === undefined) return undefined;
  const { grammar: _grammar, keySpecs: _keySpecs, ...facts } = info;
  return facts;
}

/** The names of all commands, subcommands as `config|get`. */
export function commandNames(): readonly string[] {
  return commandTable().commands.map(({ name }) => name);
}
