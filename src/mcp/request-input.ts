/**
 * How a tool takes a request: the document itself, described in a few lines that are made of its schema. The whole JSON
 * Schema is a resource, since it is larger than what all tools together may cost a model.
 */
import { z } from 'zod';
import { OpsError } from '../base/ops-error.ts';
import { Request } from '../plan/request.ts';

// what every request has, and what names a file of the machine's own disk, which agents do not reach
const common = new Set([
  'operation_type',
  'action',
  'atomicity_required',
  'performance_mode',
  'limits',
  'retry',
  'accept',
  'file',
  'format',
  'each',
  'failures_file',
  'keys_file',
  'export',
  'save_to',
]);

const kinds = Request.options.flatMap((option) =>
  'options' in option ? option.options.map(described) : [described(option)],
);

/** The request, as a tool's argument. It is checked against the whole schema when it is planned, with a place for every problem. */
export const RequestArgument = z
  .looseObject({ operation_type: z.enum(operationTypes()) })
  .describe(
    `By operation_type (action): fields. ${kinds.join('; ')}. All take limits, accept, performance_mode. Full schema: resource redops://schema/request`,
  );

/** Commands as redis-cli lines. */
export const CommandLines = z
  .array(z.string().min(1))
  .min(1)
  .max(1000)
  .describe('redis-cli lines, e.g. "HGETALL user:1"');

/** A request, or commands that become one. */
export function requestOf({
  request,
  commands,
}: {
  request?: unknown;
  commands?: readonly string[] | undefined;
}): unknown {
  return request ?? { operation_type: 'pipelining', commands };
}

/** Throws OpsError usage unless exactly one of them is given. */
export function mustBeOne(
  input: Readonly<Record<string, unknown>>,
  names: readonly string[],
  remedy = 'commands: ["INFO memory"], for example.',
): void {
  if (names.filter((name) => input[name] !== undefined).length === 1) return;
  throw new OpsError('usage', `give exactly one of ${names.join(', ')}`, { remedy });
}

function operationTypes() {
  return Request.options.map((option) => {
    const first = 'options' in option ? option.options[0] : option;
    return first.shape.operation_type.value;
  });
}

function described({ shape }: { readonly shape: Readonly<Record<string, unknown>> }): string {
  const { operation_type: type, action } = shape;
  const fields = Object.keys(shape).filter((field) => !common.has(field));
  return `${literalOf(type)}${action === undefined ? '' : ` ${literalOf(action)}`}(${fields.join(' ')})`;
}

function literalOf(schema: unknown): string {
  return schema instanceof z.ZodLiteral ? String(schema.value) : '';
}
