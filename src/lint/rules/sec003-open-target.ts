/**
 * A server that asks for no password belongs to whoever reaches its port, and one without TLS shows passwords and data to
 * the network between. Both are known from the connection that planning itself uses.
 */
import { isWrite } from '../../catalog/nature.ts';
import type { Rule } from '../rule.ts';

/** SEC003: a plan that writes to another machine without a login; an info where only TLS is missing. Not of targets tagged dev. */
export const sec003: Rule = {
  code: 'SEC003',
  severity: 'warning',
  title: 'the target takes anybody, or is reached in plain text',
  check({ draft, target, commands }) {
    const access = target?.access;
    const writes =
      commands.some(({ argv }) => isWrite(argv)) ||
      draft?.steps.some((step) => step.kind === 'script' && !step.read_only);
    if (!draft || !access || !writes) return { findings: [] };
    if (!access.authenticated) return { findings: [{ at: 'target', ...open }] };
    return { findings: access.encrypted ? [] : [{ at: 'target', severity: 'info', ...plain }] };
  },
};

const open = {
  message: 'the server is on another machine and asked for no password',
  why: 'Whoever reaches its port may read, change and delete everything, and with CONFIG SET and MODULE LOAD take over the machine.',
  fix: 'Give each program an ACL user with the rights that it needs, and turn the default user off. A target that may stay open: tag: dev in redops.yaml.',
};

const plain = {
  message: 'the connection to another machine is not encrypted',
  why: 'The password and all data cross the network as they are.',
  fix: 'Use rediss:// (tls-port of the server). Where the network is trusted, nothing has to be done.',
};
