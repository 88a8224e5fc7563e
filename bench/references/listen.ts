import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on a free loopback port and says so in the words that `startServer` waits for. */
export function listen(server: Server): void {
  // A keep-alive connection must outlive the turns of the others.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1', () => {
    console.log(`Ready at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}
