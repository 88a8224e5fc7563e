/**
 * A bare `node:http` server, to compare start and memory with. Plain JavaScript on purpose: the type stripper alone
 * occupies some 16 MiB, and a bare server has none.
 */
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end());
server.listen(0, '127.0.0.1', () => console.log(`Ready at http://127.0.0.1:${server.address().port}`));
