/** redops: the library's pipeline(), which cuts and paces by itself. */
import { connect } from '../../dist/index.js';

/** Connects; undefined where the library has no pipeline(). `batch` and `flights` are its own business. */
export async function open(url) {
  const redops = await connect(url);
  if (typeof redops.pipeline !== 'function') {
    await redops.close();
    return undefined;
  }
  return {
    async run(commands, { onReply, mode }) {
      const options = mode === undefined ? {} : { performance_mode: mode };
      for await (const { outcome, reply, error } of redops.pipeline(commands, options)) {
        if (outcome !== 'ok') throw new Error(`${outcome}: ${error?.message ?? 'no reply'}`);
        onReply(reply);
      }
    },
    close: () => redops.close(),
  };
}
