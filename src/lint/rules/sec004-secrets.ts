/**
 * What is written into a file or a request is read by more than the server: version control, logs, plans on disk, models.
 * A secret that stood there is no secret any more. It is named here by kind and place, never shown.
 */
import { at, inScript, type Said } from '../findings.ts';
import type { Finding, Rule, Subject } from '../rule.ts';
import { findSecret, secretIn, secretsOf } from '../secrets.ts';

/** SEC004: a password by its place, or a token by its shape, among the arguments of commands and in scripts. */
export const sec004: Rule = {
  code: 'SEC004',
  severity: 'warning',
  title: 'a secret among the words of a command or in a script',
  check: (subject) => ({ findings: [...inCommands(subject), ...inSteps(subject), ...inScripts(subject)] }),
};

function inCommands({ commands }: Subject): readonly Finding[] {
  return commands.flatMap((command) => {
    const found = secretsOf(command.argv).map(({ argument, what }) =>
      at(command, { argument, ...say(what, `argument ${argument}`) }),
    );
    // one for each line is enough to hide the line; a command can have several
    return found.filter(({ span }, index) => found.findIndex((one) => one.span?.line === span?.line) === index);
  });
}

/** The keys and arguments of a script are no commands. */
function inSteps({ draft }: Subject): readonly Finding[] {
  return (draft?.steps ?? []).flatMap((step, index) => {
    if (step.kind !== 'script') return [];
    const words = [
      ...step.keys.map((one, place) => [one, `keys[${place}]`] as const),
      ...step.args.map((one, place) => [one, `args[${place}]`] as const),
    ];
    return words.flatMap(([one, place]) => {
      const what = secretIn(one);
      return what === undefined ? [] : [{ at: `execution_plan.steps[${index}].${place}`, ...say(what, place) }];
    });
  });
}

/** The script of an EVAL is an argument of it, and found there. */
function inScripts({ scripts, commands }: Subject): readonly Finding[] {
  const places = new Set(commands.map((command) => command.at));
  return scripts.flatMap((script) => {
    const found = places.has(script.at) ? undefined : findSecret(script.source);
    if (!found) return [];
    const before = found.before.split('\n');
    const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return [inScript(script, place, say(found.what, 'the text of the script'))];
  });
}

function say(what: string, place: string): Said {
  return {
    message: `${place} holds ${what} (not shown)`,
    why: 'Whoever reads the file, the plan, its journal or a log of them has it: version control and backups keep it for good.',
    fix: 'Take it out and change it where it is valid: it has been seen. Logins belong into the URL of the target (url_env of redops.yaml), secrets of programs into their environment.',
  };
}
