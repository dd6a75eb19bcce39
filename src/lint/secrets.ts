/**
 * What is a secret by its place (the password of AUTH) or by its shape (a key of AWS, a private key). Only shapes that are
 * made to be recognised count: a guess by entropy would take every hash for a secret.
 */
import { type Bytes, toBuffer } from '../base/bytes.ts';
import type { Argv } from '../catalog/command.ts';
import { commandName } from '../catalog/lookup.ts';
import { optionAt, word } from './words.ts';

/** A secret: the index of the argument, and what it is, in words. Never the secret itself. */
export interface Secret {
  readonly argument: number;
  readonly what: string;
}

/** The secrets among the arguments of a command, one for each argument: by place, else by shape. */
export function secretsOf(argv: Argv): readonly Secret[] {
  const secrets = mayLogIn(argv) ? passwordsOf(argv).filter(({ argument }) => isReal(argv[argument])) : [];
  const taken = secrets.map(({ argument }) => argument);
  const shaped: Secret[] = [];
  for (const [argument, bytes] of argv.entries()) {
    const what = bytes === undefined || taken.includes(argument) ? undefined : secretIn(bytes);
    if (what !== undefined) shaped.push({ argument, what });
  }
  return [...secrets, ...shaped];
}

/** What the first secret in these bytes is; undefined when there is none. Looks at the first 64 kB. */
export function secretIn(bytes: Bytes): string | undefined {
  return findSecret(bytes)?.what;
}

/** The first secret in a text, and the text before it. */
export function findSecret(bytes: Bytes): { readonly what: string; readonly before: string } | undefined {
  const text = (typeof bytes === 'string' ? bytes : toBuffer(bytes).toString('latin1')).slice(0, 65_536);
  if (!beginnings.test(text)) return undefined; // nearly every word of nearly every command
  for (const [what, shape] of shapes) {
    const found = shape.exec(text);
    if (found && !/EXAMPLE/i.test(found[0]) && (found[1] === undefined || isReal(found[1])))
      return { what, before: text.slice(0, found.index) };
  }
  return undefined;
}

/** What one of the shapes has in it. */
const beginnings = /-----BEGIN|A[KS]IA|gh[a-z]_|github_pat|xox|k_live_|AIza|eyJ|:\/\//;

const shapes: readonly (readonly [string, RegExp])[] = [
  ['a private key (PEM)', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/],
  ['an access key of AWS', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ['a token of GitHub', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/],
  ['a token of Slack', /\bxox[abeprs]-[A-Za-z0-9-]{20,}/],
  ['a key of Stripe', /\b[rs]k_live_[A-Za-z0-9]{20,}/],
  ['a key of Google', /\bAIza[A-Za-z0-9_-]{35}/],
  ['a JSON Web Token', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}/],
  ['a URL with a password', /\b[a-z][a-z0-9+]{2,20}:\/\/[^\s:@/]{0,64}:([^\s:@/]{3,128})@/i],
];

/** By the first word, which costs less than the name of the command. */
function mayLogIn([first]: Argv): boolean {
  return typeof first === 'string' && /^(?:auth|hello|migrate|config|acl)$/i.test(first);
}

function passwordsOf(argv: Argv): readonly Secret[] {
  const of = (argument: number, what: string): readonly Secret[] => (argument > 0 ? [{ argument, what }] : []);
  switch (commandName(argv)) {
    case 'auth':
      return of(argv.length - 1, 'the password of AUTH');
    case 'hello':
    case 'migrate': {
      const [auth, auth2] = [optionAt(argv, 2, 'AUTH'), optionAt(argv, 2, 'AUTH2')];
      const distance = commandName(argv) === 'hello' ? 2 : 1;
      return [
        ...of(auth < 0 ? 0 : auth + distance, 'the password of AUTH'),
        ...of(auth2 < 0 ? 0 : auth2 + 2, 'the password of AUTH2'),
      ];
    }
    case 'config|set':
      return argv.flatMap((_, index) =>
        index >= 2 && index % 2 === 0 && passwords.has(word(argv, index) ?? '')
          ? of(index + 1, `the value of ${word(argv, index)?.toLowerCase()}`)
          : [],
      );
    case 'acl|setuser':
      return argv.flatMap((argument, index) =>
        index > 2 && typeof argument === 'string' && argument.startsWith('>')
          ? of(index, 'the password of a user')
          : [],
      );
    default:
      return [];
  }
}

const passwords: ReadonlySet<string> = new Set([
  'REQUIREPASS',
  'MASTERAUTH',
  'PRIMARYAUTH',
  'TLS-KEY-FILE-PASS',
  'TLS-CLIENT-KEY-FILE-PASS',
]);

/** False for what stands for a secret: `<password>`, `$PASSWORD`, `{{ password }}`, `***`, nothing. */
function isReal(argument: Bytes | undefined): boolean {
  if (argument === undefined) return false;
  const text = typeof argument === 'string' ? argument.replace(/^>/, '') : 'bytes';
  return !/^(?:<.*>?|\$.*|\{.*|%\w+%|\*+|x+|\.{3,}|)$/is.test(text);
}
