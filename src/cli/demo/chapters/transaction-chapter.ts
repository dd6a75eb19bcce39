/** Chapter 5: money is moved while somebody else pays in, as fast as the server takes it. */
import { formatCount } from '../../../base/units.ts';
import type { RequestInput } from '../../../plan/request.ts';
import type { Wire } from '../../../throwaway.ts';
import { apply, type Chapter, ending, plan, showPlan, showReport } from '../scene.ts';

const amount = 50;
const transfer: RequestInput = {
  operation_type: 'transaction',
  let: { balance: 'GET user:1:balance' },
  when: `balance >= ${amount}`,
  commands: [`SET user:1:balance {{ balance - ${amount} }}`, `INCRBY user:2:balance ${amount}`],
};

/** Runs the transfer against a rival until a conflict was seen, then lets it through, and adds everything up. */
export const transactionChapter: Chapter = async (scene) => {
  const { screen, wire, claim } = scene;
  screen.chapter(
    'transaction: read, decide, write, and lose nothing',
    `Move ${amount} from user:1 to user:2 if user:1 has them. Meanwhile another client pays into user:1, without a pause, until redops meets it.`,
  );
  const start = Number(await wire.ask('GET', 'user:1:balance'));
  const job = await plan(scene, transfer);
  screen.command('redops tx transfer.json --yes');
  screen.show(requestText(transfer));
  showPlan(scene, job, ['because']);

  const rival = startRival(wire);
  const report = await apply(scene, job, {
    // the run goes on only once the rival has stopped: the next attempt is alone
    onEvent: async (event) => {
      if (event.kind === 'retried') await rival.stop();
    },
  }).finally(() => rival.stop());
  const paidIn = await rival.stop();
  const [first, second] = [await wire.ask('GET', 'user:1:balance'), await wire.ask('GET', 'user:2:balance')].map(
    Number,
  );
  showReport(scene, report, [...ending, 'transaction', 'retried']);
  screen.say('');
  if ((report.transaction?.attempts ?? 1) > 1) {
    screen.say(
      'A payment came between WATCH and EXEC: EXEC wrote nothing, and the transfer ran again, on values read anew.',
    );
  }
  screen.say(
    `${formatCount(start)} + ${formatCount(paidIn)} paid in - ${amount} = ${formatCount(first ?? 0)}: not one payment was overwritten, and user:2 has ${second}.`,
  );
  claim(report.transaction?.outcome === 'committed', 'the transfer was committed');
  claim(first === start + paidIn - amount && second === amount, 'the balances add up');
};

/** The request as JSON, one member a line, and one element of a list. */
function requestText(request: RequestInput): string {
  const members = Object.entries(request).map(([name, value]) => {
    if (!Array.isArray(value)) return `  "${name}": ${JSON.stringify(value)}`;
    return `  "${name}": [\n${value.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  });
  return ['{', members.join(',\n'), '}'].join('\n');
}

/** Pays in 1 at a time, some thousand of them under way at every moment. `stop` resolves to how many were made. */
function startRival(wire: Wire): { stop(): Promise<number> } {
  const stopping = new AbortController();
  const done = wire.load(payments(stopping.signal));
  done.catch(() => undefined); // whoever stops it still sees the failure
  return {
    stop: () => {
      stopping.abort();
      return done;
    },
  };
}

function* payments(signal: AbortSignal): Generator<readonly string[]> {
  while (!signal.aborted) yield ['INCRBY', 'user:1:balance', '1'];
}
