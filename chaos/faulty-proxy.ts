/** A wire that can be pinched: TCP between gateway and upstream that stalls half-open, or is cut. */
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/**
 * `swallow-answers`: the upstream hears everything, nothing comes back, and no end is signalled. `swallow-requests`:
 * nothing arrives either. `cut-answers`: the connection breaks at the first byte of an answer.
 */
export type Fault = 'none' | 'swallow-answers' | 'swallow-requests' | 'cut-answers';

export class FaultyProxy implements AsyncDisposable {
  fault: Fault = 'none';
  /** Connections that met a fault. */
  met = 0;
  readonly #sockets = new Set<Socket>();
  readonly #stalled = new Set<Socket>();
  readonly #server;

  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createServer((near) => {
      const far = connect(Number(port), hostname);
      const meet = (): void => {
        if (!this.#stalled.has(near)) this.met++;
        this.#stalled.add(near);
      };
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        // Resets are the point here.
        socket.on('error', () => {});
      }
      near.on('data', (chunk) => {
        if (this.fault === 'swallow-requests') meet();
        // Bytes that were swallowed leave a connection that says nothing sensible any more.
        if (!this.#stalled.has(near) || this.fault === 'swallow-answers') far.write(chunk);
      });
      far.on('data', (chunk) => {
        if (this.fault === 'swallow-answers') meet();
        else if (this.fault === 'cut-answers') {
          meet();
          near.resetAndDestroy();
          far.destroy();
        } else if (!this.#stalled.has(near)) near.write(chunk);
      });
      near.on('close', () => {
        this.#stalled.delete(near);
        far.destroy();
      });
      // Half-open: a faulty connection is not closed towards the gateway, whatever the upstream does.
      far.on('close', () => {
        if (!this.#stalled.has(near)) near.destroy();
      });
    });
  }

  /** Listens on a loopback port; answers its URL. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends the silence: what has stalled is reset. Left alone, it stays silent until the gateway gives up. */
  cutStalled(): void {
    for (const socket of this.#stalled) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}
