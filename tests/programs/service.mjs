/** What the example programs have in common: JSON over HTTP, lines that say what they do, and an end in good order. */

import { createServer } from 'node:http';
import { ApiPromise, WsProvider } from '@polkadot/api';

import { eachBlock } from '../harness/subnet.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));

/** Largest request, in bytes. */
const MAX_REQUEST = 1 << 20;

/** Says something as one line of JSON on standard output. */
export const say = (fact) => console.log(JSON.stringify(fact));

/** Connects to a node. */
export const connect = (url, provider = new WsProvider(url)) => ApiPromise.create({ provider, noInitWarn: true });

/** Why a request is not answered, with the status that says so. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Answers requests with what `answer` makes of their bodies, and says where.
 *
 * @param {number} port 0 lets the system choose
 * @param {(body: object) => Promise<object> | object} answer an error it throws is the answer, with its status or 400
 * @returns {{ listening: Promise<string>, close: () => void }} `listening`: the URL, when it can be asked
 */
export function serve(port, answer) {
  const server = createServer(async (request, response) => {
    let [status, result] = [200, undefined];
    try {
      result = await answer(await bodyOf(request));
    } catch (error) {
      [status, result] = [error.status ?? 400, { error: error.message }];
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  });
  const listening = new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
  void listening.then((url) => say({ listening: url }));
  return { listening, close: () => server.close() };
}

async function bodyOf(request) {
  let text = '';
  for await (const part of request) {
    text += part;
    if (text.length > MAX_REQUEST) throw new Error('the request is too large');
  }
  return text ? JSON.parse(text) : {};
}

/** Waits until there is a module of this name, and returns what the chain says of it, and the name of its type. */
export function moduleNamed(api, name) {
  return eachBlock(api, async () => {
    const found = (await api.call.modulesApi.moduleByName(name)).unwrapOr(undefined);
    if (!found) return undefined;
    const types = await api.call.modulesApi.modelTypes();
    const [, type] = types.find(([number]) => number.eq(found.modelType));
    return { id: found.id.toNumber(), type: type.toUtf8() };
  });
}
