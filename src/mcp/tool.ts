/** What a tool is: a name, what a client is told of it, a schema of its arguments, and what it does. */
import type { ToolAnnotations } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { Call, Desk, Outcome } from './desk.ts';

/** One tool. `run` throws OpsError for what the world does; it becomes an answer. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: `redops_${string}`;
  readonly title: string;
  readonly description: string;
  readonly annotations: Required<Omit<ToolAnnotations, 'title'>>;
  readonly input: Input;
  run(input: z.output<Input>, desk: Desk, call: Call): Promise<Outcome>;
}

/** A tool whose own input type is known where it is written, and nowhere else. */
export function tool<Input extends z.ZodObject>(spec: Tool<Input>): Tool {
  return { ...spec, run: (input, desk, call) => spec.run(input as z.output<Input>, desk, call) };
}
