// Says hello to a WebSocket below the proxy's address and prints what comes back.
import WebSocket from 'ws';

const socket = new WebSocket(`${process.env.AUTHCTL_PROXY_URL.replace(/^http/, 'ws')}/socket`);
socket.on('open', () => socket.send('hello'));
socket.on('message', (data) => {
  process.stdout.write(`${data}\n`);
  socket.close();
});
socket.on('error', (err) => {
  process.stderr.write(`${err.message}\n`);
  process.exitCode = 1;
});
