/** Where everything that survives a clone is kept, as scripts/lib.sh has it. */

import { homedir } from 'node:os';
import { join } from 'node:path';

export const CACHE = process.env.ENSEMBLE_CACHE ?? join(homedir(), '.cache', 'ensemble');
