/** A door before the server that adds the token, since the suite sends none; everything else goes through as it is. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';

/** Listens on a free port of the loopback address; { url, close }. */
export async function startFront(target, token) {
  const front = createServer((asked, answered) => {
    const onward = request(
      {
        host: target.hostname,
        port: target.port,
        path: asked.url,
        method: asked.method,
        headers: { ...asked.headers, authorization: `Bearer ${token}` },
      },
      (reply) => {
        answered.writeHead(reply.statusCode, reply.headers);
        reply.pipe(answered);
      },
    );
    onward.once('error', () => answered.destroy());
    answered.once('close', () => onward.destroy());
    asked.pipe(onward);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    url: `http://127.0.0.1:${front.address().port}${target.pathname}`,
    close: () => {
      front.close();
      front.closeAllConnections();
    },
  };
}
