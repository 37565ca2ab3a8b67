// Socket.IO on Node: everybody in the default namespace.
const http = require('http');
const { Server } = require('socket.io');

const server = http.createServer((request, response) => {
  if (request.url !== '/pub') return;
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    io.emit('message', JSON.parse(body));
    response.writeHead(201, { 'Content-Length': 2 }).end('ok');
  });
});
const io = new Server(server, { transports: ['websocket'] });
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
