/** What sessions cost and who gets it, written down a second time from the documentation of pallet-inference. */

const MILLION = 1_000_000n;
const BILLION = 1_000_000_000n;

const upwards = (amount, divisor) => (amount + divisor - 1n) / divisor;
const part = (ratio, amount) => (amount * ratio) / MILLION;
const least = (one, other) => (one < other ? one : other);

/** The places that serve a range, and the ranges that a place serves. */
export const placesOf = (range, count, replicas) =>
  Array.from({ length: replicas }, (_, step) => (range + step) % count);
export const rangesOf = (place, count, replicas) =>
  Array.from({ length: replicas }, (_, step) => (place - step + count) % count);

/** The matrices of all stages of a model: rows, columns, and how many of each there are. */
function matrices({ layers, width, heads, kvHeads, headWidth, hidden, vocabulary }) {
  const keys = kvHeads * headWidth;
  return [
    [heads * headWidth, width, layers],
    [keys, width, 2 * layers],
    [width, heads * headWidth, layers],
    [hidden, width, 2 * layers],
    [width, hidden, layers],
    [vocabulary, width, 1],
  ];
}

/** Rows of a matrix that are in a range. */
const rowsIn = (rows, range, count) => Math.floor((rows * (range + 1)) / count) - Math.floor((rows * range) / count);

/** Products of a model's range for one position. */
function rangeProducts(shape, range, count) {
  const products = matrices(shape).map(([rows, cols, times]) => rowsIn(rows, range, count) * cols * times);
  return BigInt(products.reduce((sum, each) => sum + each, 0));
}

/** Products of some of a session's ranges for one position. */
const productsOf = (shape, ranges, { workers }) =>
  ranges.reduce((sum, range) => sum + rangeProducts(shape, range, workers), 0n);

const allRanges = ({ workers }) => Array.from({ length: workers }, (_, range) => range);

/** The prices of a chain, in planck. */
export class Prices {
  /** @param {import('@polkadot/api').ApiPromise} api */
  static async of(api) {
    const { rates, split, slashes, owners } = await api.query.inference.currentParameters();
    const numbers = (record, names) => Object.fromEntries(names.map((name) => [name, record[name].toBigInt()]));
    return Object.assign(new Prices(), {
      rates: numbers(rates, ['position', 'billion']),
      split: numbers(split, ['gateway', 'credits', 'burnt']),
      slashes: numbers(slashes, ['outvoted', 'wrong', 'challenger']),
      owners: owners.toBigInt(),
      minBond: api.consts.inference.minBond.toBigInt(),
      bondCap: api.consts.inference.bondCap.toBigInt(),
      voteFee: api.consts.inference.voteFee.toBigInt(),
      attestFee: api.consts.inference.attestFee.toBigInt(),
    });
  }

  /** What the votes of a session cost. */
  fee({ workers, replicas }) {
    return BigInt(workers) * (this.voteFee * BigInt(replicas) + this.attestFee);
  }

  /** What so many positions cost, without the votes. */
  amount(shape, positions, { replicas }) {
    const products = rangeProducts(shape, 0, 1) * BigInt(positions);
    const once = this.rates.position * BigInt(positions) + upwards(this.rates.billion * products, BILLION);
    return once * BigInt(replicas);
  }

  /** What is held when a session is opened. */
  price(shape, question) {
    return this.amount(shape, question.promptTokens + question.maxTokens - 1, question) + this.fee(question);
  }

  /** How the price of so many positions is divided: the part of those ranges of which a trace won. */
  pieces(shape, positions, question, won = allRanges(question)) {
    const whole = this.amount(shape, positions, question);
    const amount = (whole * productsOf(shape, won, question)) / rangeProducts(shape, 0, 1);
    const { gateway, credits, burnt } = this.split;
    const rest = [gateway, credits, burnt].map((ratio) => part(ratio, amount));
    const [forGateway, forCredits, forNobody] = rest;
    const workers = amount - forGateway - forCredits - forNobody;
    return { amount, workers, gateway: forGateway, credits: forCredits, burnt: forNobody };
  }

  /** What a worker is due that served these ranges. */
  due(shape, positions, question, ranges, won = allRanges(question)) {
    const { workers } = this.pieces(shape, positions, question, won);
    const all = productsOf(shape, won, question) * BigInt(positions) * BigInt(question.replicas);
    return (workers * productsOf(shape, ranges, question) * BigInt(positions)) / all;
  }

  /** What a worker loses whose trace was outvoted: a part of the least bond. */
  outvoted(bond) {
    return part(this.slashes.outvoted, least(bond, this.minBond));
  }

  /** What somebody loses who was shown to be wrong: a part of what counts in a draw. */
  wrong(bond) {
    return part(this.slashes.wrong, least(bond, this.bondCap));
  }

  /** What a challenger gets of what the guilty lost. */
  reward(slashed) {
    return part(this.slashes.challenger, slashed);
  }
}
