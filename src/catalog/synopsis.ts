/** A command's grammar in the notation of its documentation, for the fix of a message. */
import type { CommandInfo, GrammarArgument } from './command.ts';

/** `SET key value [NX | XX] [GET] [EX seconds | ...]`; the name alone with `...` where the grammar is not known. */
export function synopsisOf(info: CommandInfo): string {
  const name = info.name.toUpperCase().replace('|', ' ');
  if (info.grammar !== undefined) return [name, ...info.grammar.map(written)].join(' ');
  return info.arity === name.split(' ').length ? name : `${name} ...`;
}

function written(argument: GrammarArgument): string {
  const one = withToken(argument);
  const again = argument.multiple_token ? one : body(argument);
  const text = argument.multiple ? `${one} [${again} ...]` : one;
  return argument.optional ? `[${text}]` : text;
}

function withToken(argument: GrammarArgument): string {
  if (argument.type === 'pure-token') return argument.token ?? '""';
  if (argument.token === undefined) return body(argument);
  return `${argument.token} ${body(argument)}`;
}

function body(argument: GrammarArgument): string {
  if (argument.type === 'block') return (argument.arguments ?? []).map(written).join(' ');
  if (argument.type !== 'oneof') return argument.name;
  const choices = (argument.arguments ?? []).map(written).join(' | ');
  return argument.optional && argument.token === undefined ? choices : `<${choices}>`;
}
