// Runs an authorization server that this project did not write, for its tests, as serve.go does for those in Go: on a
// port that the system chooses, until stdin closes, with a list of what was asked.
//
// The server reads one JSON object from the environment variable SERVER_CONFIG, prints one JSON object as the only line
// on stdout and ends when stdin closes, so that it never outlives the test that started it.
//
//   GET  /_requests  what was asked, in order: method, path, status, client, grant_type, auth; never a secret
//   POST /_faults    {"path": "/token", "times": 1, "status": 503, "headers": {}, "body": "", "delay_ms": 0}
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

// Libraries print notices with console.info; stdout is for the one line.
console.info = console.error;

// settings reads SERVER_CONFIG.
export const settings = (defaults) => ({ ...defaults, ...JSON.parse(process.env.SERVER_CONFIG || '{}') });

// readAll reads the body of a request.
export async function readAll(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

// sendJSON answers with a JSON object.
export function sendJSON(res, status, body) {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

// listen opens a server on a free port of loopback and returns it with its URL. With tls it is asked for there.
export async function listen(tls) {
  const server = tls ? createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: false }) : createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}` };
}

const requests = [];
const faults = [];

async function control(req, res) {
  if (req.url === '/_requests') return sendJSON(res, 200, { requests });
  if (req.url === '/_faults' && req.method === 'POST') {
    faults.push(JSON.parse(await readAll(req)));
    return sendJSON(res, 200, { faults: faults.length });
  }
  return sendJSON(res, 404, { error: 'no such control page' });
}

// takeFault returns the next fault for a path, undefined when there is none.
function takeFault(path) {
  const i = faults.findIndex((f) => path === f.path);
  if (i < 0) return undefined;
  const fault = faults[i];
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(i, 1);
  return fault;
}

// note enters a request in the list, with what its header says of who asks. The rest is for see to add.
function note(req, res, path) {
  const [scheme, credentials] = (req.headers.authorization ?? '').split(' ');
  const entry = { method: req.method, path, auth: scheme.toLowerCase(), client: '', grant_type: '', status: 0 };
  if (entry.auth === 'basic') {
    const id = Buffer.from(credentials, 'base64').toString('utf8').split(':')[0];
    entry.client = decodeURIComponent(id.replaceAll('+', ' '));
  }
  requests.push(entry);
  res.on('finish', () => { entry.status = res.statusCode; });
  return entry;
}

// see adds to the entry of a request what the server has read in its form, and nothing secret.
export function see(req, form, client) {
  const entry = req.authctlEntry;
  if (!entry || !form) return;
  entry.grant_type = form.grant_type ?? '';
  entry.client = client ?? form.client_id ?? entry.client;
  if (form.client_assertion) entry.auth = 'private_key_jwt';
}

// serve hands the requests to forward and tells whoever started it, in one line, that it is ready.
export function serve(servers, forward, ready) {
  for (const server of servers) {
    server.on('request', async (req, res) => {
      const { pathname } = new URL(req.url, 'http://127.0.0.1');
      if (pathname.startsWith('/_')) return control(req, res);
      req.authctlEntry = note(req, res, pathname);
      const fault = takeFault(pathname);
      if (fault?.delay_ms) await sleep(fault.delay_ms);
      if (fault?.status) {
        res.writeHead(fault.status, fault.headers ?? {});
        return res.end(fault.body ?? '');
      }
      return forward(req, res);
    });
  }
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
