/** Plots as SVG: a few panels beside each other, each with one line and an axis from nothing on. */

const [WIDTH, HEIGHT] = [300, 220];
const EDGE = { left: 52, right: 14, top: 30, bottom: 44 };

/** Least distance of two labels. */
const LABEL = 26;

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {string} across what the points' first numbers are
 * @property {string} up     what the second ones are
 * @property {[number, number][]} points
 */

/** @param {Panel[]} panels */
export function plot(panels) {
  const width = panels.length * WIDTH;
  const drawn = panels.map((panel, number) => `<g transform="translate(${number * WIDTH} 0)">${drawPanel(panel)}</g>`);
  const style = 'text{font:12px sans-serif;fill:#333}.axis{stroke:#999}.line{fill:none;stroke:#2a6fb0;stroke-width:2}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}">`,
    `<style>${style}circle{fill:#2a6fb0}</style><rect width="100%" height="100%" fill="#fff"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, across, up, points }) {
  const [most, highest] = [0, 1].map((at) => Math.max(...points.map((point) => point[at])));
  const top = roundUp(highest);
  const x = (value) => EDGE.left + ((WIDTH - EDGE.left - EDGE.right) * value) / most;
  const y = (value) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * value) / top;
  const label = (at, baseline, text, anchor) =>
    `<text x="${at.toFixed(1)}" y="${baseline.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
  const line = points.map(([across, up]) => `${x(across).toFixed(1)},${y(up).toFixed(1)}`).join(' ');
  return [
    `<line class="axis" x1="${x(0)}" y1="${y(0)}" x2="${x(most)}" y2="${y(0)}"/>`,
    `<line class="axis" x1="${x(0)}" y1="${y(0)}" x2="${x(0)}" y2="${y(top)}"/>`,
    label(WIDTH / 2, 18, title, 'middle'),
    label((x(0) + x(most)) / 2, HEIGHT - 8, across, 'middle'),
    `<text transform="translate(14 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${up}</text>`,
    ...[0, top / 2, top].map((value) => label(x(0) - 6, y(value) + 4, String(value), 'end')),
    ...apart(
      points.map(([value]) => value),
      x,
    ).map((value) => label(x(value), y(0) + 16, String(value), 'middle')),
    `<polyline class="line" points="${line}"/>`,
    ...points.map(([across, up]) => `<circle cx="${x(across).toFixed(1)}" cy="${y(up).toFixed(1)}" r="3"/>`),
  ].join('\n');
}

/** Those of some numbers, from the largest on, whose labels do not touch. */
function apart(values, x) {
  let left = Infinity;
  return [...values].reverse().filter((value) => {
    if (left - x(value) < LABEL) return false;
    left = x(value);
    return true;
  });
}

/** The next number of the form 1, 2 or 5 times a power of ten. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}
