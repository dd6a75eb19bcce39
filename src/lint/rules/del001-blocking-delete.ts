/**
 * Freeing a large collection on the main thread stops the server for as long as it takes: DEL of a hash with a million
 * fields is half a second in which nobody is answered. SET over, RENAME onto, *STORE onto and EXPIRE 0 free just as much.
 */
import { formatCount } from '../../base/units.ts';
import type { KeyFacts } from '../../plan/target.ts';
import { factsReader, howToGive, selectionFacts } from '../facts.ts';
import { at } from '../findings.ts';
import { allocationsOf, freeingMs, isLazy, type Removal, removalsOf, settingOf } from '../removals.ts';
import type { Finding, LintCommand, Rule, Subject, Verdict } from '../rule.ts';
import { shown } from '../words.ts';

const warnFrom = 5_000;
const refuseFrom = 10_000;

/** DEL001: a large collection is freed on the main thread. */
export const del001: Rule = {
  code: 'DEL001',
  severity: 'error',
  title: 'deleting or overwriting a large collection blocks the server',
  check(subject) {
    const facts = factsReader(subject);
    const findings: Finding[] = [];
    const reasons = new Set<string>();
    for (const command of subject.commands) {
      for (const removal of removalsOf(command.argv, subject.now)) {
        if (removal.by === 'unlink') continue;
        for (const old of valuesOf(subject, command, removal, facts.of, reasons)) {
          const finding = judge(subject, command, removal, old, reasons);
          if (finding) findings.push(finding);
        }
      }
    }
    return verdict(findings, [facts.missing('type and size'), ...reasons]);
  },
};

// the key itself, or the samples of a job's selection; a reason where neither is known
function valuesOf(
  subject: Subject,
  command: LintCommand,
  removal: Removal,
  of: (key: KeyFacts['key']) => KeyFacts | undefined,
  reasons: Set<string>,
): readonly KeyFacts[] {
  if (removal.key !== undefined) {
    const facts = of(removal.key);
    return facts ? [facts] : [];
  }
  const selected = command.selection && selectionFacts(subject, command.selection);
  if (selected) return largest(selected.samples);
  reasons.add(`needs the live sizes of the keys of ${command.at}: ${howToGive(subject)}`);
  return [];
}

function judge(
  subject: Subject,
  command: LintCommand,
  removal: Removal,
  old: KeyFacts,
  reasons: Set<string>,
): Finding | undefined {
  if (removal.stringOnly || old.type === 'string') return undefined;
  const allocations = allocationsOf(old);
  if (allocations === undefined) {
    reasons.add(`the size of ${shown(old.key)} (type ${old.type}) is not known`);
    return undefined;
  }
  if (allocations < warnFrom || !subject.target) return undefined;
  const { lazy, assumed } = isLazy(removal.by, subject.target.server);
  if (lazy) {
    if (assumed !== undefined) reasons.add(assumed);
    return undefined;
  }
  const size = `a ${old.type} with ${formatCount(old.elements ?? 0)} elements`;
  return at(command, {
    message: `${removal.how} ${shown(old.key)}, ${size}: the server is blocked for about ${milliseconds(allocations)} ms`,
    why: `The old value is freed on the main thread while ${settingOf(removal.by)} is no, and nobody is answered meanwhile.${assumed === undefined ? '' : ` (${assumed}.)`}`,
    fix: fixFor(removal, old),
    severity: allocations >= refuseFrom ? 'error' : 'warning',
  });
}

function fixFor(removal: Removal, old: KeyFacts): string {
  const key = shown(old.key);
  if (removal.by === 'del') return `UNLINK ${key} frees it in the background (redops keys delete uses UNLINK).`;
  if (removal.by === 'expire') return `UNLINK ${key} instead of a deadline that has passed.`;
  return `UNLINK ${key} first, in the same transaction where the gap matters.`;
}

function largest(samples: readonly KeyFacts[]): readonly KeyFacts[] {
  const collections = samples.filter((sample) => sample.type !== 'string');
  const biggest = collections.toSorted((a, b) => (allocationsOf(b) ?? 0) - (allocationsOf(a) ?? 0))[0];
  return biggest ? [biggest] : [];
}

function milliseconds(allocations: number): string {
  const ms = freeingMs(allocations);
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}

function verdict(findings: readonly Finding[], reasons: readonly (string | undefined)[]): Verdict {
  const known = reasons.filter((reason) => reason !== undefined);
  return known.length === 0 ? { findings } : { findings, unchecked: known.join('; ') };
}
