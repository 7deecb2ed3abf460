// Serves this folder, and nothing else, to this machine.

import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const HOST = '127.0.0.1';
const PORT = 8080;
const FOLDER = dirname(fileURLToPath(import.meta.url));

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.onnx': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Path and size of the file that an address means; null where there is none. */
async function find(url) {
  try {
    const name = decodeURIComponent(url.split('?')[0]);
    const hidden = name.split('/').some((part) => part.startsWith('.'));
    // Links are followed first, so that none leads out of the folder.
    const path = await realpath(
      resolve(FOLDER, `.${name.endsWith('/') ? `${name}index.html` : name}`),
    );
    const inside = path.startsWith((await realpath(FOLDER)) + sep);
    const found = await stat(path);
    const served = inside && !hidden && found.isFile() && extname(path) in TYPES;
    return served ? { path, size: found.size } : null;
  } catch {
    return null;
  }
}

async function answer(request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const file = await find(request.url);
  if (!file) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here\n');
    return;
  }
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file.path)],
    'Content-Length': file.size,
    // A model that was exported again is seen at once.
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file.path), response);
}

/** Starts to serve; 0 is any free port. Gives the server and its address. */
export function serve(port) {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, HOST, () => {
      done({ server, address: `http://${HOST}:${server.address().port}/` });
    });
  });
}

async function main() {
  const { values } = parseArgs({ options: { port: { type: 'string', default: String(PORT) } } });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`--port ${values.port} is no port: choose a number from 0 to 65535`);
  }
  const { address } = await serve(port);
  console.log(`Open ${address} in a browser; Ctrl-C ends the server.`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error) => {
    const taken = error.code === 'EADDRINUSE';
    console.error(
      taken ? `${error.message}: choose another one by “npm start -- --port N”` : error.message,
    );
    process.exitCode = 1;
  });
}
