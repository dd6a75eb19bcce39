/** A replica refuses writes; sent there, a plan fails at its first command. */
import { errorOf } from '../../catalog/errors.ts';
import { isWrite } from '../../catalog/nature.ts';
import type { Rule, Subject } from '../rule.ts';

/** REP001: the plan writes and the target is a replica. */
export const rep001: Rule = {
  code: 'REP001',
  severity: 'error',
  title: 'the target is a replica and the plan writes',
  error: errorOf('READONLY').code,
  check(subject) {
    const server = subject.target?.server;
    const at = subject.draft && server?.role === 'slave' ? firstWrite(subject) : undefined;
    if (at === undefined) return { findings: [] };
    const primary = server?.primary;
    return {
      findings: [
        {
          message: `the target is a replica${primary === undefined ? '' : ` of ${primary}`} and the plan writes`,
          at,
          why: 'A replica answers READONLY. One that is set writable loses what is written there at the next resync.',
          fix: primary === undefined ? 'Connect to the primary.' : `Connect to the primary: --url redis://${primary}`,
        },
      ],
    };
  },
};

function firstWrite(subject: Subject): string | undefined {
  const script = (subject.draft?.steps ?? []).findIndex((step) => step.kind === 'script' && !step.read_only);
  const command = subject.commands.find(({ argv }) => isWrite(argv));
  return command?.at ?? (script < 0 ? undefined : `execution_plan.steps[${script}]`);
}
