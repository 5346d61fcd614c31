/** What benchmarks print: one JSON object per line on standard output, progress on standard error. */

/**
 * Reports a figure and whether it holds its bar.
 *
 * @param {string} name
 * @param {number} value
 * @param {string} unit
 * @param {{ atLeast: number } | { atMost: number } | {}} bar
 */
export function report(name, value, unit, { atLeast, atMost } = {}) {
  const bar = atLeast ?? atMost ?? null;
  const ok = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  console.log(JSON.stringify({ name, value: Number(value.toPrecision(4)), unit, bar, ok }));
  if (!ok) process.exitCode = 1;
}

export const progress = (text) => console.error(text);
