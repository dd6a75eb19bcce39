/**
 * Which fields and values the request's schema allows at a place, so that a problem can name them. Walks the zod schema
 * along the input: the schema stays the one list of fields.
 */
import { z } from 'zod';
import { Request } from '../plan/request.ts';

/** The field names that are allowed at `path` of this input, or none when the path leads to no object of the schema. */
export function fieldsAt(input: unknown, path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = variant(Request, input);
  let value = input;
  for (const part of path) {
    value = memberOf(value, part);
    schema = variant(childOf(schema, part), value);
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** The member of a JSON value, own properties only. */
export function memberOf(value: unknown, part: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
  return (value as Record<PropertyKey, unknown>)[part];
}

function childOf(schema: unknown, part: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, part) ? schema.shape[String(part)] : undefined;
  if (schema instanceof z.ZodArray) return schema.element;
  return undefined;
}

/** Unwraps defaults and optionals, and picks the alternative of a union that the input's discriminator names. */
function variant(schema: unknown, input: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional)
    return variant(schema.unwrap(), input);
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const discriminator = schema.def.discriminator;
  const chosen = memberOf(input, discriminator);
  const option = schema.options.find((candidate) => discriminates(candidate, discriminator, chosen));
  return option === undefined ? undefined : variant(option, input);
}

function discriminates(option: unknown, discriminator: string, value: unknown): boolean {
  if (option instanceof z.ZodDiscriminatedUnion)
    return option.options.some((nested) => discriminates(nested, discriminator, value));
  if (!(option instanceof z.ZodObject)) return false;
  const literal: unknown = option.shape[discriminator];
  return literal instanceof z.ZodLiteral && literal.values.has(value as never);
}
