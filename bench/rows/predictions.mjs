/** What explain foresees against what the server takes: not a race, so there are no peers. */
import { fileURLToPath } from 'node:url';
import { timed } from '../child.mjs';

const program = fileURLToPath(new URL('../programs/predictions.mjs', import.meta.url));
/** Up to so many microseconds a price is a number to be met within a factor of two; above, an interval to be held. */
const short = 10_000;

export const predictions = {
  name: 'predictions',
  title: 'prices of explain against measured server time',
  rounds: 1,
  notes: [
    'A server is calibrated, then another process of the same version is asked to explain commands on keys of 12 to 1,000,000 elements, and runs them: server time by commandstats, median of three rounds.',
    'Keys, element sizes and sizes are others than those that calibration measures. To reach: 90 % of the prices up to 10 ms within a factor of two; above, 90 % of the measurements in the stated interval.',
  ],
  tell: async (bench) => {
    const most = String(bench.scaled(1_000_000));
    const { stdout } = await timed(process.execPath, [program, bench.programs.server, most], { seconds: 1800 });
    return textOf(JSON.parse(stdout));
  },
};

function textOf(found) {
  const small = found.filter(({ predicted }) => predicted <= short);
  const large = found.filter(({ predicted }) => predicted > short);
  const twice = small.filter(({ predicted, measured }) => predicted <= measured * 2 && measured <= predicted * 2);
  const held = (all) => all.filter(({ low, high, measured }) => low <= measured && measured <= high);
  return [
    row('command', 'elements', 'foreseen us', 'interval us', 'measured us'),
    ...found.map(({ command, size, predicted, low, high, measured }) =>
      row(command, size.toLocaleString('en-US'), us(predicted), `${us(low)} - ${us(high)}`, us(measured)),
    ),
    '',
    `up to 10 ms: ${share(twice, small)} within a factor of two (to reach 90 %); ${share(held(small), small)} in the interval`,
    `above 10 ms: ${share(held(large), large)} in the interval (to reach 90 %)`,
  ].join('\n');
}

const row = (command, ...figures) =>
  [command.padEnd(26), ...figures.map((text, at) => text.padStart([10, 12, 19, 12][at]))].join('');
const us = (value) => (value < 100 ? value.toFixed(1) : Math.round(value).toString());
const share = (some, all) =>
  `${some.length} of ${all.length} (${all.length === 0 ? '-' : Math.round((100 * some.length) / all.length)} %)`;
