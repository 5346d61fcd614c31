/** Ports for programs that are to have the same ones when they come back. */

import { createServer } from 'node:net';

/** So many ports on which nobody listens. */
export async function freePorts(count) {
  const sockets = await Promise.all(
    Array.from({ length: count }, () => {
      const socket = createServer();
      return new Promise((resolve) => socket.listen(0, '127.0.0.1', () => resolve(socket)));
    }),
  );
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.close(resolve))));
  return ports;
}
