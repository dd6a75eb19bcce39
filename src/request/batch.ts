/** The recipe for batch: unlink, expire, persist or touch every key that is selected, as a scan job. */
import { assertNever } from '../base/assert.ts';
import { leftBehind } from '../plan/left-behind.ts';
import type { Draft } from '../plan/plan.ts';
import type { RequestOf } from '../plan/request.ts';
import type { KeysFile } from '../plan/step.ts';
import type { Target } from '../plan/target.ts';
import { deadlineOf, pexpireat } from './deadline.ts';
import { job } from './drafts.ts';
import { persistReason, persistStep } from './expiration.ts';
import { touchReason, unlinkReason } from './key-management.ts';
import type { Result } from './problem.ts';
import { selectionOf } from './selection.ts';

/** The draft of a batch request, or why there is none. */
export function batch(request: RequestOf<'batch'>, target: Target | undefined, file?: KeysFile): Result<Draft> {
  const result = draftOf(request, target, file);
  if (!('value' in result) || request.verify !== true) return result;
  const looks = result.value.steps.some((step) => step.kind === 'for_each' && leftBehind(step) !== undefined);
  return { value: { ...result.value, reasons: [...result.value.reasons, looks ? verifyReason : nothingToVerify] } };
}

const verifyReason = 'At the end the selection is walked once more, for keys that are not as the action leaves them.';

const nothingToVerify =
  'Nothing is verified: by its selection and its condition this action may leave a key as it finds it.';

function draftOf(request: RequestOf<'batch'>, target: Target | undefined, file?: KeysFile): Result<Draft> {
  const select = selectionOf(request.select, file);
  const key = { param: 'key' } as const;
  switch (request.do.action) {
    case 'unlink':
      return { value: job(request, target, select, { kind: 'command', argv: ['UNLINK', key] }, [unlinkReason]) };
    case 'persist':
      return { value: job(request, target, select, persistStep(key), [persistReason]) };
    case 'expire': {
      // what the filter says is what PEXPIREAT can check by itself, from 7.0
      const condition =
        request.do.condition ?? (select.ttl === 'none' ? 'nx' : select.ttl === 'any' ? 'xx' : undefined);
      const expiry = condition === undefined ? request.do : { ...request.do, condition };
      const deadline = deadlineOf(expiry, { place: 'do.', bulk: true });
      if (!('value' in deadline)) return deadline;
      return { value: job(request, target, select, pexpireat(key, deadline.value), deadline.value.reasons) };
    }
    case 'touch':
      return { value: job(request, target, select, { kind: 'command', argv: ['TOUCH', key] }, [touchReason]) };
    default:
      return assertNever(request.do);
  }
}
