/**
 * The facade: each verb is a short pipe of stages, and this is the only file that wires them. Everything a front door
 * (command line, MCP, library) does goes through here.
 */
import type { Diagnostic, Unchecked } from './plan/diagnostic.ts';
import type { Event } from './plan/event.ts';
import type { Plan } from './plan/plan.ts';
import type { Report } from './plan/report.ts';

/** Where and as whom to work. Everything that comes from the environment is read by the front door and passed in. */
export interface AgentSettings {
  /** redis://, rediss://, unix://. */
  readonly url: string;
  /** The name shown for the target; the URL without its password when left out. */
  readonly name?: string;
  /** TLS material as file contents. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** The tag that redops.yaml gives the target. */
  readonly tag?: 'dev' | 'production';
  /** Caps of the target, applied to every request on top of its own. */
  readonly caps?: { readonly max_keys?: number; readonly max_percent?: number; readonly prefixes?: readonly string[] };
  /** $REDOPS_STATE; nothing is written to disk when left out. */
  readonly stateDir?: string;
}

/** What planning gives: a plan (perhaps with errors among its warnings), or only diagnostics when no plan can be made. */
export interface Planned {
  readonly plan: Plan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the caller grants for one apply. */
export interface ApplyOptions {
  /** Approves what the approval table lets --yes approve. */
  readonly yes?: boolean;
  /** The target's name as a person typed it. */
  readonly typedName?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** A run: the events as they happen, then the report. `report` settles only when `events` was read to its end. */
export interface Run {
  readonly events: AsyncIterable<Event>;
  readonly report: Promise<Report>;
}

/** The agent, connected to one target. */
export interface Agent {
  /** The name of the target, and whether it counts as dev or production, and why. */
  readonly target: { readonly name: string; readonly tag: 'dev' | 'production'; readonly reason: string };
  /** Plans a request (any JSON value). Never throws on bad input. */
  plan(request: unknown): Promise<Planned>;
  /** Runs a request or a plan document. A plan is checked (digest, drift) before anything is sent. */
  apply(document: unknown, options: ApplyOptions): Promise<Run | Planned>;
  close(): Promise<void>;
}

/** What lint says of files. */
export interface LintResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly unchecked: readonly Unchecked[];
}
