/** Everything the command touches outside itself, so that a test can stand in for the terminal and for the agent. */
import type {
  Agent,
  AgentSettings,
  approvePlan,
  explainWithoutServer,
  fixFiles,
  lintInputs,
  lintLive,
  lintTitles,
  loadDesk,
  loadRuns,
  loadTargets,
  resolveTarget,
} from '../agent.ts';
import type { OpsError } from '../base/ops-error.ts';

/** What the command line uses of an agent. */
export type PlanningAgent = Pick<
  Agent,
  'target' | 'plan' | 'apply' | 'resume' | 'verify' | 'judge' | 'explain' | 'readingUser' | 'calibrate' | 'close'
>;

/** What the front door needs of the agent's module. */
export interface Stages {
  readonly openAgent: (settings: AgentSettings) => Promise<PlanningAgent>;
  readonly approvePlan: typeof approvePlan;
  readonly explainWithoutServer: typeof explainWithoutServer;
  readonly fixFiles: typeof fixFiles;
  readonly lintInputs: typeof lintInputs;
  readonly lintLive: typeof lintLive;
  readonly lintTitles: typeof lintTitles;
  readonly loadDesk: typeof loadDesk;
  readonly loadRuns: typeof loadRuns;
  readonly loadTargets: typeof loadTargets;
  readonly resolveTarget: typeof resolveTarget;
}

/** The world of one invocation. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Which streams are a terminal, and how wide it is. */
  readonly terminal: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
    readonly columns: number;
  };
  /** All of standard input. */
  readStdin(): Promise<Uint8Array>;
  /** Standard input as it comes, for what may be too large to hold. */
  stdinChunks(): AsyncIterable<Uint8Array>;
  /** Writes results: nothing else goes to standard output. */
  out(text: string): void;
  /** Writes messages, plans to approve, prompts, progress. */
  err(text: string): void;
  /** Asks on the terminal; undefined when the person closed it (Ctrl-D, Ctrl-C). */
  ask(question: string): Promise<string | undefined>;
  /** Asks on the terminal without showing what is typed; undefined as for `ask`. */
  askSecret(question: string): Promise<string | undefined>;
  /** Calls the handler on every Ctrl-C (and SIGTERM) from now on, instead of dying; of several the last one. Gives the way back. */
  onInterrupt(handler: () => void): () => void;
  /** Calls the handler when the process ends, however it is ended from within; it must not wait. Gives the way back. */
  onExit(handler: () => void): () => void;
  /** Ends the process at once. */
  exitNow(status: number): void;
  /** The agent's functions, loaded when they are first needed. */
  stages(): Promise<Stages>;
}

/** What an action of a verb ends with: an exit status, or a fault. */
export type Action = () => Promise<number>;

/** Runs the action of the verb that was called and keeps its exit status. `json`: what a fault prints on standard output. */
export type Finish = (action: Action, faults?: (error: OpsError) => unknown) => Promise<void>;
