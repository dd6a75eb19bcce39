/** Durations and sizes as people write them: "30m", "1.5h", "2d", "64mb". Every function says what it returns. */

const durationUnits: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const sizeUnits: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/** Milliseconds of "250ms", "30s", "30m", "24h", "7d", "1h30m", or of a bare number of seconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return whole(Number(trimmed) * 1000);
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, number, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(number) * (durationUnits[unit!] ?? 0);
  }
  return whole(total);
}

/** "850 ms", "1.2 s", "5 m 30 s", "24 h", "7 d": short, for people. Argument in milliseconds. */
export function formatDuration(ms: number): string {
  const millis = round(ms, ms < 1 ? 2 : ms < 10 ? 1 : 0);
  if (Number(millis) < 1000) return `${millis} ms`;
  const inSeconds = round(ms / 1000, 1);
  if (Number(inSeconds) < 60) return `${inSeconds} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([value]) => value > 0)
    .slice(0, 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** Bytes of "512", "64kb", "1.5GB"; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?b)?$/i.exec(text.trim());
  return match ? whole(Number(match[1]) * (sizeUnits[(match[2] ?? 'b').toLowerCase()] ?? 1)) : undefined;
}

/** "512 B", "1.4 MB": binary units under their usual names, for people. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  const digits = () => (unit === 0 || value >= 100 ? 0 : 1);
  while (Number(round(value, digits())) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${round(value, digits())} ${units[unit]}`;
}

/** "1,234,567". */
export function formatCount(value: number): string {
  const whole = Math.round(value);
  if (!Number.isSafeInteger(whole)) return whole.toLocaleString('en-US');
  return String(whole).replace(/\B(?=(?:\d{3})+$)/g, ','); // toLocaleString takes 30 ms to start
}

function round(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

function whole(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
