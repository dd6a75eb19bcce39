/** What execution says as it goes: a closed union that progress, journal and report fold. Internal, so plain types. */
import type { Bytes } from '../base/bytes.ts';
import type { Diagnostic } from './diagnostic.ts';
import type {
  CommandResult,
  Engine,
  EngineSwitch,
  ExportFacts,
  GovernorFacts,
  LeftBehind,
  SavedFacts,
  Status,
  StreamFacts,
  Totals,
  TransactionEngine,
  TransactionOutcome,
  TtlGroup,
} from './report.ts';
import type { SteeringFacts } from './steering.ts';
import type { ReplyValue } from './values.ts';

/** One event of a run. Totals in `page` are what that page adds. */
export type Event =
  | {
      readonly kind: 'run_started';
      readonly run_id: string;
      readonly plan_digest: string;
      readonly dry_run: boolean;
      readonly at_ms: number;
    }
  | { readonly kind: 'result'; readonly result: CommandResult; readonly effect: 'changed' | 'unchanged' | 'none' }
  | {
      readonly kind: 'page';
      readonly totals: Totals;
      readonly planned_keys: number;
      /** Of a scan job: where its keys were worked on. */
      readonly engine?: Engine;
    }
  | { readonly kind: 'found'; readonly keys: readonly Bytes[]; readonly more: boolean }
  | { readonly kind: 'audited'; readonly groups: readonly TtlGroup[] }
  | { readonly kind: 'streamed'; readonly facts: StreamFacts }
  | { readonly kind: 'exported'; readonly facts: ExportFacts }
  | { readonly kind: 'saved'; readonly facts: SavedFacts }
  /** All until now: a later one replaces it. */
  | { readonly kind: 'governed'; readonly facts: GovernorFacts }
  /** All until now: somebody paused the run, or changed its limits. */
  | { readonly kind: 'steered'; readonly facts: SteeringFacts }
  | { readonly kind: 'retried'; readonly reason: string; readonly attempt: number; readonly wait_ms: number }
  | {
      readonly kind: 'transaction';
      readonly outcome: TransactionOutcome;
      readonly attempts: number;
      readonly engine: TransactionEngine;
      readonly switched?: EngineSwitch;
      readonly reads?: Readonly<Record<string, ReplyValue>>;
      readonly replicas?: number;
      readonly replicated?: 'confirmed' | 'not_known';
      readonly found_by?: 'marker';
    }
  | { readonly kind: 'notice'; readonly diagnostic: Diagnostic }
  | { readonly kind: 'verified'; readonly facts: LeftBehind }
  | { readonly kind: 'unproven'; readonly reason: string }
  | {
      readonly kind: 'run_finished';
      readonly status: Status;
      readonly at_ms: number;
      /** Of a dry run: commands that were kept back. */
      readonly would_send?: number;
      /** It ended early, and can go on: its journal says where. */
      readonly resumable?: true;
    };
