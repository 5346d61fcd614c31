/** Steps with progress as they go, and a table of them at the end. */

const terminal = process.stdout.isTTY;
const began = Date.now();

export class Steps {
  #rows = [];

  /**
   * Does one step. What it shows is what `work` returns; an error ends everything.
   *
   * @template T
   * @param {string} title
   * @param {(progress: (text: string) => void) => Promise<{ shown: string, result?: T }>} work
   * @returns {Promise<T>}
   */
  async step(title, work) {
    const start = Date.now();
    const number = this.#rows.length + 1;
    console.log(`\n${number}. ${title}`);
    const progress = new Progress();
    try {
      const { shown, result } = await work((text) => progress.show(text));
      this.#rows.push({ number, title, shown, seconds: seconds(start) });
      progress.end(`   ${shown} (${seconds(start)} s)`);
      return result;
    } catch (error) {
      progress.end(`   failed: ${error.message}`);
      this.#rows.push({ number, title, shown: 'FAILED', seconds: seconds(start) });
      throw error;
    }
  }

  /** Prints what was shown, and how long each step took. */
  table() {
    const wide = Math.max(...this.#rows.map(({ title }) => title.length));
    console.log(`\n${'step'.padEnd(wide + 4)}  seconds  shown`);
    for (const { number, title, shown, seconds } of this.#rows) {
      console.log(`${`${number}.`.padEnd(4)}${title.padEnd(wide)}  ${seconds.padStart(7)}  ${shown}`);
    }
    console.log(`${'in all'.padEnd(wide + 4)}  ${seconds(began).padStart(7)}`);
  }
}

const seconds = (since) => ((Date.now() - since) / 1000).toFixed(1);

/** One line that changes on a terminal; lines of their own, without repetition, elsewhere. */
class Progress {
  #last = '';

  show(text) {
    if (text === this.#last) return;
    this.#last = text;
    if (terminal) process.stdout.write(`\r\x1b[K   ${text}`);
    else console.log(`   ${text}`);
  }

  end(text) {
    if (terminal) process.stdout.write('\r\x1b[K');
    console.log(text);
  }
}

/** A bar for `part` of `whole`. */
export function bar(part, whole) {
  const filled = Math.round((20 * Math.min(part, whole)) / whole);
  return `[${'#'.repeat(filled)}${'.'.repeat(20 - filled)}]`;
}
