/** A bare RESP2 connection for tests that compare redops with the server itself: it depends on nothing that is tested. */
import { connect } from 'node:net';
import { type Decoded, Decoder, encodeCommands, type WireArgument } from '../../src/formats/resp.ts';

/** One connection; replies come in order. */
export interface Wire {
  /** Sends one command; an error reply is a value. Rejects when the connection ends. */
  ask(...argv: readonly WireArgument[]): Promise<Decoded>;
  close(): void;
}

/** Connects to a port of 127.0.0.1; each reply within 10 s. */
export function openWire(port: number): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const waiting: { readonly give: (reply: Decoded) => void; readonly fail: (cause: Error) => void }[] = [];
    const decoder = new Decoder({ reply: (value) => waiting.shift()?.give(value), push: () => {} });
    const fail = (cause: Error) => {
      reject(cause);
      for (const { fail: failed } of waiting.splice(0)) failed(cause);
    };
    socket.setTimeout(10_000, () => socket.destroy(new Error('no reply within 10 s')));
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the connection ended')));
    socket.on('data', (chunk) => decoder.write(chunk));
    socket.once('connect', () =>
      resolve({
        ask: (...argv) =>
          new Promise((give, failed) => {
            waiting.push({ give, fail: failed });
            socket.write(encodeCommands([argv]));
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}
