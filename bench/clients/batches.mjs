/** What client libraries leave to the program that uses them: cutting a long list of commands into batches. */

/**
 * Makes `run(commands, { batch, flights, onReply })` of `send`, which sends one batch and resolves to its replies: `batch`
 * commands at a time, `flights` batches under way, every reply handed to onReply in the order of the commands.
 */
export function inBatches(send) {
  return async (commands, { batch, flights, onReply }) => {
    const underWay = [];
    const arrive = async () => {
      for (const reply of await underWay.shift()) onReply(reply);
    };
    let next = [];
    const depart = async () => {
      underWay.push(send(next));
      next = [];
      if (underWay.length === flights) await arrive();
    };
    for (const argv of commands) {
      next.push(argv);
      if (next.length === batch) await depart();
    }
    if (next.length > 0) await depart();
    while (underWay.length > 0) await arrive();
  };
}
