/** What `plan`, `lint` and `explain` print on standard output with --json when a fault left no document. */
import type { OpsError } from '../../base/ops-error.ts';

/** No diagnostics, and the fault beside them; undefined without --json: then standard error says it. */
export function faultDocument(options: { readonly json?: boolean }): ((error: OpsError) => unknown) | undefined {
  if (!options.json) return undefined;
  return ({ code, message, remedy }) => ({ diagnostics: [], error: { code, message, ...(remedy && { remedy }) } });
}
