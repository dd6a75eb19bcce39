/** What a row found, as a table of at most 80 columns, and as a section of docs/benchmarks.md. */
import { median } from './statistics.mjs';

const width = 80;
const columns = [
  ['peer', 18],
  ['median', 9],
  ['lowest', 9],
  ['highest', 9],
  ['CPU s', 8],
  ['redops is', 11],
  ['to reach', 15],
];

/**
 * The table of a row's result { row, peers: [{ name, measured: [{ value, cpuMs }], notRun?, error? }] }. `redops is`: the
 * median over the rounds of redops's value divided by the peer's of the same round, since both met the same machine.
 */
export function tableOf({ row, peers }) {
  const subject = peers[0];
  const unit = `${row.unit}, ${row.better} is better`;
  const lines = peers.filter(({ measured }) => measured.length > 0).map((peer) => lineOf(row, subject, peer));
  const silent = peers.flatMap(({ name, notRun, error }) => [
    ...(notRun === undefined ? [] : [`${name}: not run: ${notRun}`]),
    ...(error === undefined ? [] : [`${name}: FAILED: ${error}`]),
  ]);
  return [`${row.name} (${unit})`, format(columns.map(([name]) => name)), ...lines, ...silent].join('\n');
}

/** The section of docs/benchmarks.md between its marks; `setting` says when, where and with what. */
export function sectionOf(result, setting) {
  const { row, rounds } = result;
  return section(row, tableOf(result), setting, `${row.name} --rounds ${rounds}`);
}

/** The section of a row that has no peers, but something to tell. */
export function sectionOfText(row, told, setting) {
  return section(row, told, setting, row.name);
}

function section(row, told, setting, again) {
  const text = [
    `## ${row.title}`,
    wrap(row.notes.join(' ')),
    `\`\`\`text\n${told}\n\`\`\``,
    wrap(setting),
    `\`\`\`sh\nnpm run bench -- ${again} --write\n\`\`\``,
  ].join('\n\n');
  return `${opening(row.name)}\n${text}\n${closing(row.name)}`;
}

/** The page with the row's section in the place of its former one, or at the end. */
export function withSection(page, name, section) {
  const start = page.indexOf(opening(name));
  const end = page.indexOf(closing(name));
  if (start < 0 || end < start) return `${page.trimEnd()}\n\n${section}\n`;
  return page.slice(0, start) + section + page.slice(end + closing(name).length);
}

const opening = (name) => `<!-- ${name} -->`;
const closing = (name) => `<!-- end of ${name} -->`;

function lineOf(row, subject, peer) {
  const values = peer.measured.map(({ value }) => value);
  const cpu = peer.measured.map(({ cpuMs }) => cpuMs).filter((ms) => ms !== undefined);
  const ratio = peer === subject ? undefined : ratioOf(subject, peer);
  const reach = row.reach[peer.name];
  return format([
    peer.name,
    number(median(values)),
    number(Math.min(...values)),
    number(Math.max(...values)),
    cpu.length === 0 ? '-' : (median(cpu) / 1000).toFixed(2),
    ratio === undefined ? '-' : `${ratio.toFixed(2)}x`,
    reach === undefined ? '-' : `${row.better === 'lower' ? '<=' : '>='} ${reach}x ${verdict(row, ratio, reach)}`,
  ]);
}

/** By index, since a peer has a measurement of every round or none. */
function ratioOf(subject, peer) {
  if (subject.measured.length !== peer.measured.length) return undefined;
  return median(subject.measured.map(({ value }, round) => value / peer.measured[round].value));
}

function verdict(row, ratio, reach) {
  if (ratio === undefined) return '';
  return (row.better === 'lower' ? ratio <= reach : ratio >= reach) ? 'yes' : 'NO';
}

function number(value) {
  return value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0);
}

function format(cells) {
  const padded = cells.map((cell, index) => {
    const size = columns[index][1];
    return index === 0 ? cell.padEnd(size) : ` ${cell}`.padStart(size);
  });
  return padded.join('').trimEnd();
}

function wrap(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
