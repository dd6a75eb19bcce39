/**
 * Request (+ Target) -> Draft. Pure, and called twice: without a target, to learn what to ask the server, and with what
 * it answered. One recipe per operation; this file only picks it and applies what holds for all of them.
 */
import { assertNever } from '../base/assert.ts';
import { OpsError } from '../base/ops-error.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Draft } from '../plan/plan.ts';
import type { Request } from '../plan/request.ts';
import type { KeysFile, StreamSource } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { atomic } from './atomicity.ts';
import { batch } from './batch.ts';
import { contradictions } from './contradictions.ts';
import { expiration } from './expiration.ts';
import { keysFileOf, unreadableFile } from './files.ts';
import { keyManagement } from './key-management.ts';
import { luaScript } from './lua-script.ts';
import { pipelining } from './pipelining.ts';
import { capped, type Result } from './problem.ts';
import { transaction } from './transaction.ts';

/** The draft of a request; `source` is the file that it streams and `keysFile` the one that names its keys, as they were found to be. Diagnostics are errors and mean "no plan"; exactly one of the two is there. */
export function compile(
  request: Request,
  target?: Target,
  source?: StreamSource,
  keysFile?: KeysFile,
): { readonly draft?: Draft; readonly diagnostics: readonly Diagnostic[] } {
  const contradicting = contradictions(request);
  if (contradicting.length > 0) return { diagnostics: contradicting };
  const named = keysFileOf(request);
  if (named !== undefined && keysFile === undefined) return { diagnostics: [unreadableFile(notLookedAt, named.at)] };
  const made = recipe(request, target, source, keysFile);
  const result = 'value' in made ? atomic(made.value, target) : made;
  return 'value' in result ? { draft: result.value, diagnostics: [] } : { diagnostics: capped(result.diagnostics) };
}

const notLookedAt = new OpsError('usage', 'the file of keys was not looked at', {
  remedy: 'Plan with an agent that may read files, or name the keys in the request itself.',
});

function recipe(
  request: Request,
  target: Target | undefined,
  source: StreamSource | undefined,
  keysFile: KeysFile | undefined,
): Result<Draft> {
  switch (request.operation_type) {
    case 'key_management':
      return keyManagement(request, target, keysFile);
    case 'expiration':
      return expiration(request, target, keysFile);
    case 'pipelining':
      return pipelining(request, target, source);
    case 'transaction':
      return transaction(request, target);
    case 'lua_script':
      return luaScript(request, target);
    case 'batch':
      return batch(request, target, keysFile);
    default:
      return assertNever(request);
  }
}
