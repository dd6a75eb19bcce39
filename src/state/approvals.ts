/**
 * Signed approvals: a person who knows a passphrase approves one digest on one data set, once, for a limited time. The
 * digest stands on every screen, so it approves nothing by itself; the signature does. The private key is kept encrypted
 * with the passphrase, the public key beside it verifies. Whoever may write the state directory could replace both keys:
 * an approval is a boundary only where the one who applies may not write there.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import { access, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { OpsError } from '../base/ops-error.ts';
import type { Plan } from '../plan/plan.ts';
import { codeOf, ensureDirectory, guarded, writeDurably } from './files.ts';

/** What is signed. Times in Unix milliseconds. */
const Claim = z.strictObject({
  version: z.literal(1),
  id: z.uuid(),
  digest: z.string(),
  /** The data set: replication id and database. */
  target: z.string(),
  /** The policy that an agent asked under (plan/policy.ts); left out where nobody but a person asked. */
  policy: z.string().exactOptional(),
  expires_ms: z.int().positive(),
});

/** Signs an approval of a plan; the first call makes the key pair with this passphrase. Throws OpsError usage when the passphrase is another, state. */
export async function signApproval(
  dir: string,
  plan: Plan,
  passphrase: string,
  expiresMs: number,
  policy?: string,
): Promise<string> {
  if (passphrase.length < 8) {
    throw new OpsError('usage', 'the passphrase is shorter than 8 characters', {
      remedy: 'Choose a longer one; it is asked for at every approval.',
    });
  }
  const key = await privateKey(dir, passphrase);
  const claim: z.output<typeof Claim> = {
    version: 1,
    id: randomUUID(),
    digest: plan.digest,
    target: dataSet(plan),
    ...(policy === undefined ? {} : { policy }),
    expires_ms: expiresMs,
  };
  const body = Buffer.from(JSON.stringify(claim), 'utf8');
  return `${body.toString('base64url')}.${sign(null, body, key).toString('base64url')}`;
}

/** True when approvals were signed here before, so that there is a passphrase already. Rejects with OpsError state. */
export async function hasApprovalKey(dir: string): Promise<boolean> {
  return (await readOptional(join(dir, 'approvals', 'key.pem'))) !== undefined;
}

/** Checks an approval for this plan and uses it up. `policy`: what holds for the agent that applies; a person has none. Throws OpsError refused when it is forged, for something else, expired or used; state. */
export async function useApproval(
  dir: string,
  plan: Plan,
  approval: string,
  nowMs: number,
  policy?: string,
): Promise<void> {
  const { id } = await checkApproval(dir, plan, approval, nowMs, policy);
  const used = join(dir, 'approvals', 'used');
  await ensureDirectory(used);
  await guarded(used, async () => {
    try {
      await (await open(join(used, id), 'wx', 0o600)).close();
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw usedBefore();
      throw error;
    }
  });
}

/** The same without using it up: for a dry run. Rejects with OpsError refused. */
export async function checkApproval(
  dir: string,
  plan: Plan,
  approval: string,
  nowMs: number,
  policy?: string,
): Promise<{ readonly id: string }> {
  const [body = '', signature = ''] = approval.split('.').map((part) => Buffer.from(part, 'base64url'));
  const key = await publicKey(dir);
  if (key === undefined)
    throw no(
      'there is no approval key here yet',
      'Approve with redops approve, by the user and on the machine that applies.',
    );
  if (!verify(null, Buffer.from(body), key, Buffer.from(signature)))
    throw no('its signature is not of the approval key here');
  const claim = Claim.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  if (claim.digest !== plan.digest) throw no('it is for another plan');
  if (claim.target !== dataSet(plan)) throw no('it is for another data set');
  if (policy !== undefined && claim.policy !== policy)
    throw no(
      'it was not asked for under the policy that holds now',
      'Apply again, then approve anew: redops approve <digest>.',
    );
  if (claim.expires_ms <= nowMs) throw no('it has expired');
  if (await exists(join(dir, 'approvals', 'used', claim.id))) throw usedBefore();
  return { id: claim.id };
}

function usedBefore(): OpsError {
  return no('it was used before, and an approval is for one run');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function dataSet(plan: Plan): string {
  const { id, database } = plan.target.identity;
  return `${id}/${database}`;
}

function no(why: string, remedy = 'Look at the plan again and approve it anew: redops approve <digest>.'): OpsError {
  return new OpsError('refused', `the approval does not hold: ${why}`, { remedy });
}

async function privateKey(dir: string, passphrase: string): Promise<KeyObject> {
  const folder = join(dir, 'approvals');
  const pem = await readOptional(join(folder, 'key.pem'));
  if (pem === undefined) return newKey(folder, passphrase);
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch (cause) {
    throw new OpsError('usage', 'the passphrase does not open the approval key', {
      remedy: 'Give the passphrase that the first approval was made with.',
      cause,
    });
  }
}

async function newKey(folder: string, passphrase: string): Promise<KeyObject> {
  const pair = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
  });
  await ensureDirectory(folder);
  await writeDurably(join(folder, 'key.pub'), pair.publicKey);
  await writeDurably(join(folder, 'key.pem'), pair.privateKey);
  return createPrivateKey({ key: pair.privateKey, passphrase });
}

async function publicKey(dir: string): Promise<KeyObject | undefined> {
  const pem = await readOptional(join(dir, 'approvals', 'key.pub'));
  return pem === undefined ? undefined : createPublicKey(pem);
}

async function readOptional(path: string): Promise<string | undefined> {
  return guarded(path, async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}
