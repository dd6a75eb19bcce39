/** The least that a program which validates with zod and asks Redis something can do: the floor for `redops plan`. */
import { createClient } from '@redis/client';
import { z } from 'zod';

const url = z.string().parse(process.argv[2]);
const client = createClient({ url });
await client.connect();
process.stdout.write(String(await client.sendCommand(['INFO'])));
await client.close();
