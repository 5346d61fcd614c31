/** Waiting for a condition with a deadline: the only way in which these tests let time pass. */

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What is waited for cannot come any more. */
export class Hopeless extends Error {}

/**
 * Asks again and again until the answer is truthy, and returns it.
 *
 * @template T
 * @param {string} what what is waited for, as it stands in the error
 * @param {() => T | Promise<T>} condition an error it throws counts as "not yet", unless it is `Hopeless`
 * @param {{ within?: number, every?: number }} [limits] deadline and pause between two questions, in milliseconds
 * @returns {Promise<T>}
 */
export async function until(what, condition, { within = 60_000, every = 100 } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`not within ${within / 1000} s: ${what}${last ? ` (${last.message})` : ''}`, { cause: last });
    }
    await pause(every);
  }
}

/**
 * Waits for a promise, but no longer than `within` milliseconds.
 *
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @param {number} within
 * @returns {Promise<T>}
 */
export async function inTime(what, promise, within) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${within / 1000} s: ${what}`)), within);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
