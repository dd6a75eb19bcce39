/**
 * What must not reach a model: passwords, tokens, keys and e-mail addresses inside keys, values and replies. Patterns cannot
 * find every secret; they are the last of several fences, behind the policy's prefixes and the redops.yaml patterns.
 */

/** Gives a text with what is secret in it replaced by a word in brackets. */
export type Redact = (text: string) => string;

/** The default patterns and those of the policy (regular expressions, checked when the file was read). */
export function createRedact(patterns: readonly string[]): Redact {
  const own = patterns.map((pattern): Replacement => [new RegExp(pattern, 'gu'), '[redacted]']);
  const all = [...own, ...known];
  return (text) => all.reduce((left, [pattern, word]) => left.replace(pattern, word), text);
}

/** True for the name of a field, a key or a setting whose value is a secret by its name. */
export function isSecretName(name: string): boolean {
  const last = name.slice(name.lastIndexOf(':') + 1);
  return secretName.test(last);
}

const secretWords =
  'pass|passwd|password|passphrase|passcode|pwd|pin|otp|secret|client[_-]?secret|token|(?:access|refresh|id|auth|session|csrf|bearer)[_-]?token|api[_-]?key|private[_-]?key|access[_-]?key|secret[_-]?key|auth|authorization|credential|credentials|requirepass|masterauth|primaryauth|cookie|ssn|cvv';
const secretName = new RegExp(
  `^(?:${secretWords})$|(?:^|[._-])(?:password|passwd|secret|token|api[_-]?key)s?(?:$|[._-]?hash$)`,
  'i',
);

type Replacement = readonly [RegExp, string];

// longest first: what one of them replaced no later one finds again
const known: readonly Replacement[] = [
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g,
    '[private key]',
  ],
  [/\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, '[token]'],
  [/\b(?:bearer|basic)[\s:=_-]+[\w.~+/=-]{4,}/gi, '[token]'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, '[token]'],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abposr]-|sk[-_](?:live[-_]|test[-_]|ant[-_]|proj[-_])?|rk_live_|npm_|AIza|ya29\.)[\w-]{12,}/g,
    '[token]',
  ],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/:@"']{0,200}:[^\s/@"']{1,200}@/gi, '$1[credentials]@'],
  [
    new RegExp(
      `((?:\\\\?["'])?\\b(?:[\\w-]{0,40}[._-])?(?:${secretWords})\\b(?:\\\\?["'])?\\s{0,3}[:=]\\s{0,3})(\\\\"[^"\\\\]{0,4000}\\\\"|"(?:[^"\\\\]|\\\\.){0,4000}"|'[^']{0,4000}'|[^\\s,;&}\\]"']{1,4000})`,
      'gi',
    ),
    '$1[redacted]',
  ],
  [/[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b/gi, '[email]'],
];
