/**
 * The verb explain: what a command or a request means, from the plan that redops makes of it. Without a server there is no
 * plan, and what the catalog and the request alone can tell is said.
 */

import { draftOf } from './assemble.ts';
import { OpsError } from './base/ops-error.ts';
import { type AclUser, aclUserOf } from './explain/acl-rule.ts';
import { estimate } from './explain/estimate.ts';
import { explanationOf } from './explain/explanation.ts';
import { lint } from './lint/lint.ts';
import { subjectOfDraft } from './lint/subject.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import type { Estimate } from './plan/estimate.ts';
import type { Explanation } from './plan/explanation.ts';
import type { Draft, Plan } from './plan/plan.ts';
import { type Target, unknownServer } from './plan/target.ts';
import { compile } from './request/compile.ts';
import { parseRequest } from './request/parse.ts';

/** What explain gives: the plan's price, each of its commands, and who may run it; only diagnostics where no plan can be made. */
export interface Explained {
  /** Undefined without a server too. */
  readonly plan: Plan | undefined;
  /** What speaks against it, or why there is no plan. */
  readonly diagnostics: readonly Diagnostic[];
  readonly estimate?: Estimate;
  readonly estimated_ops?: number;
  readonly explanation?: Explanation;
  /** The least user who may run it; its password is "PASSWORD". Undefined without a server, whose version decides. */
  readonly acl?: AclUser;
}

/** A command line as a request; a request as it is. */
export function requestOf(input: unknown): unknown {
  return typeof input === 'string' ? { operation_type: 'pipelining', commands: [input] } : input;
}

/** Explains what was planned. */
export function explainPlanned(planned: {
  readonly plan: Plan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}): Explained {
  const { plan } = planned;
  if (plan === undefined) return planned;
  const draft = draftOf(plan);
  return {
    ...planned,
    estimate: plan.execution_plan.estimate,
    estimated_ops: plan.estimated_ops,
    explanation: explanationOf(draft, plan.target),
    acl: aclUserOf(draft, plan.target, 'PASSWORD'),
  };
}

/** Explains a command line or a request without asking any server. Throws OpsError usage for a request that names a file. */
export function explainWithoutServer(input: unknown): Explained {
  const parsed = parseRequest(requestOf(input));
  if (!parsed.request) return { plan: undefined, diagnostics: parsed.diagnostics };
  const { draft, diagnostics } = compiled(parsed.request);
  if (!draft) return { plan: undefined, diagnostics };
  const priced = estimate(draft, nobody);
  return {
    plan: undefined,
    diagnostics: lint(subjectOfDraft(draft)).diagnostics,
    estimate: priced.estimate,
    estimated_ops: priced.estimated_ops,
    explanation: explanationOf(draft, nobody, false),
  };
}

function compiled(request: Parameters<typeof compile>[0]): { draft?: Draft; diagnostics: readonly Diagnostic[] } {
  if (('file' in request && request.file !== undefined) || request.operation_type === 'batch')
    throw new OpsError('usage', 'this request is explained on a server only', {
      remedy: 'Name one: REDIS_URL, --url or --target.',
    });
  return compile(request);
}

/** Stands in for a server that was not asked: Redis 8.0 with nothing in it. */
const nobody: Target = {
  identity: { topology: 'standalone', id: 'none', database: 0, user: 'unknown' },
  name: 'no server',
  server: { ...unknownServer, redis_version: '8.0.0' },
  keys: [],
  selections: [],
  scripts: [],
};
