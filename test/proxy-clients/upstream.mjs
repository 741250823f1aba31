// An API not written here, as far as its libraries go: node:http and ws. It says what it was asked, and whether with a token
// that it knows: any of a length. The first line on stdout is its address.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const bears = (request) => /^Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/.test(request.headers.authorization ?? '');

const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  if (request.url === '/page') {
    response.setHeader('Content-Type', 'text/html');
    response.end('<title>own page</title>');
    return;
  }
  if (request.url === '/moved') {
    response.writeHead(302, { Location: `http://${request.headers.host}/who` });
    response.end();
    return;
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method: request.method, target: request.url, token: bears(request), body }));
});

const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => {
  socket.on('message', (data) => socket.send(`${data} at ${request.url}, token ${bears(request)}`));
});

server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
