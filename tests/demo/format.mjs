/** Numbers and names as people read them. */

import { TUNE } from '../harness/index.mjs';

export const short = (id) => `${id.slice(0, 10)}…`;
export const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
export const tune = (planck) => (Number(planck) / Number(TUNE)).toString();

/** An amount with few digits, for tables. */
export const roughly = (planck) => (Number(planck) / Number(TUNE)).toFixed(4);
