/**
 * The loops that most rules share: one finding for a command, one for a call of a script, one for a block of commands.
 * A rule of one condition is then a predicate and four sentences.
 */
import type { Argv } from '../catalog/command.ts';
import { commandName } from '../catalog/lookup.ts';
import type { LuaArgument, LuaCall } from '../formats/lua.ts';
import type { Span } from '../plan/diagnostic.ts';
import type { Finding, LintCommand, LintScript, Subject } from './rule.ts';

/** The sentences of a finding, without its place. */
export type Said = Omit<Finding, 'at' | 'span' | 'bytes'>;

/** A finding at a command, or at the one word of it that the finding is about. */
export function at(command: LintCommand, said: Said): Finding {
  const span = (said.argument === undefined ? undefined : command.wordAt?.(said.argument)) ?? command.span;
  const bytes = command.bytes === undefined ? {} : { bytes: command.bytes };
  return { ...said, at: command.at, ...bytes, ...(span && { span }) };
}

/** A finding at a line of a script: `cas.lua:3:1` in a script file, `app.redis:4:1, script line 3` inside a command. */
export function inScript(
  script: LintScript,
  place: { readonly line: number; readonly column: number; readonly length?: number },
  said: Said,
): Finding {
  if (script.file !== undefined) {
    const span: Span = { file: script.file, line: place.line, column: place.column, length: place.length ?? 1 };
    return { ...said, at: `${script.file}:${place.line}:${place.column}`, span };
  }
  const where = `${script.at}, script line ${place.line}`;
  return script.span ? { ...said, at: where, span: script.span } : { ...said, at: where };
}

/** One finding at most for each command, given its catalog name (`config|set`). */
export function eachCommand(
  subject: Subject,
  judge: (name: string, command: LintCommand) => Said | undefined,
): readonly Finding[] {
  return subject.commands.flatMap((command) => {
    const said = judge(commandName(command.argv), command);
    return said ? [at(command, said)] : [];
  });
}

/** One finding at most for each redis.call of each script, given the call as an argument list (undefined: not a constant). */
export function eachCall(
  subject: Subject,
  judge: (name: string, argv: Argv, call: LuaCall, script: LintScript) => Said | undefined,
): readonly Finding[] {
  return subject.scripts.flatMap((script) =>
    script.facts.calls.flatMap((call) => {
      const argv = argvOfCall(call);
      const said = argv && judge(commandName(argv), argv, call, script);
      return said ? [inScript(script, call, said)] : [];
    }),
  );
}

/** The call as an argument list; undefined when even the command is not a constant. */
export function argvOfCall(call: LuaCall): Argv | undefined {
  return call.command === undefined ? undefined : [call.command, ...call.args.map(constant)];
}

/** The commands by block, in order: the commands of one pipeline, transaction, job or file together. */
export function blocksOf(subject: Subject): readonly (readonly LintCommand[])[] {
  const blocks = new Map<string, LintCommand[]>();
  for (const command of subject.commands) {
    const block = blocks.get(command.block);
    if (block) block.push(command);
    else blocks.set(command.block, [command]);
  }
  return [...blocks.values()];
}

function constant(argument: LuaArgument): string | undefined {
  return argument.from === 'constant' ? argument.value : undefined;
}
