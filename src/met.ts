/** The target as it was last met, and what commands that no plan holds may do to it: what the library's pipeline and its transactions keep to. */
import type { Bytes } from './base/bytes.ts';
import { type AdmissionTerms, mostKeys } from './lint/admission.ts';
import type { Target } from './plan/target.ts';

/** A target with its terms. */
export interface Met {
  readonly target: Target;
  /** What holds for one call, by what it grants. */
  readonly termsFor: (granted: { readonly typedName?: string; readonly accept?: readonly string[] }) => AdmissionTerms;
}

/** What holds for the target whatever a call grants. */
export interface Standing {
  readonly name: string;
  readonly tag: 'dev' | 'production';
  readonly caps: { readonly max_keys?: number; readonly max_percent?: number; readonly prefixes?: readonly Bytes[] };
}

/** The target with the terms of those who work on it without a plan. */
export function metAs(target: Target, { name, tag, caps }: Standing): Met {
  const { role, keys } = target.server;
  return {
    target,
    termsFor: ({ typedName, accept = [] }) => ({
      tag,
      named: typedName === name,
      readOnly: role === 'slave',
      accept,
      ...(caps.prefixes ? { prefixes: caps.prefixes } : {}),
      ...mostKeys(caps, keys),
    }),
  };
}
