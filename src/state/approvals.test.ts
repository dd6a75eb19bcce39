import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../plan/plan.ts';
import { signApproval, useApproval } from './approvals.ts';

const plan = { digest: `sha256:${'a'.repeat(64)}`, target: { identity: { id: 'f00', database: 0 } } } as Plan;
const other = { ...plan, digest: `sha256:${'b'.repeat(64)}` } as Plan;
const elsewhere = { ...plan, target: { identity: { id: 'f00', database: 1 } } } as Plan;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'redops-approvals-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('an approval', () => {
  it('holds once, for its plan and data set, until it expires', async () => {
    const approval = await signApproval(dir, plan, 'correct horse', 2_000);
    await expect(useApproval(dir, other, approval, 1_000)).rejects.toThrow('another plan');
    await expect(useApproval(dir, elsewhere, approval, 1_000)).rejects.toThrow('another data set');
    await expect(useApproval(dir, plan, approval, 2_000)).rejects.toThrow('expired');
    await useApproval(dir, plan, approval, 1_000);
    await expect(useApproval(dir, plan, approval, 1_000)).rejects.toThrow('used before');
  });

  it('holds for an agent only under the policy that it was asked for under, and for a person under any', async () => {
    const bound = await signApproval(dir, plan, 'correct horse', 2_000, 'sha256:one');
    await expect(useApproval(dir, plan, bound, 0, 'sha256:two')).rejects.toThrow('policy');
    await useApproval(dir, plan, bound, 0, 'sha256:one');
    const free = await signApproval(dir, plan, 'correct horse', 2_000);
    await expect(useApproval(dir, plan, free, 0, 'sha256:one')).rejects.toThrow('policy');
    await useApproval(dir, plan, await signApproval(dir, plan, 'correct horse', 2_000, 'sha256:one'), 0);
  });

  it('cannot be made of the digest, nor by changing another one, nor without the passphrase', async () => {
    await expect(useApproval(dir, plan, plan.digest, 0)).rejects.toThrow('no approval key');
    const approval = await signApproval(dir, other, 'correct horse', 2_000);
    await expect(useApproval(dir, plan, plan.digest, 0)).rejects.toThrow('signature');
    const claim = JSON.parse(Buffer.from(approval.split('.')[0]!, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...claim, digest: plan.digest })).toString('base64url');
    await expect(useApproval(dir, plan, `${forged}.${approval.split('.')[1]}`, 0)).rejects.toThrow('signature');
    await expect(signApproval(dir, plan, 'wrong horse', 2_000)).rejects.toThrow('does not open');
    await expect(signApproval(dir, plan, 'short', 2_000)).rejects.toThrow('8 characters');
  });

  it('leaves no passphrase and no open key on the disk', async () => {
    await signApproval(dir, plan, 'correct horse', 2_000);
    const pem = readFileSync(join(dir, 'approvals', 'key.pem'), 'utf8');
    expect(pem).toContain('ENCRYPTED');
    expect(pem).not.toContain('correct horse');
  });
});
