/** The server's end of a WebSocket, for the test servers: handshake and short text frames, from RFC 6455. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Accept the handshake of a client, and pass on each text that it sends. */
export function acceptSocket(request: IncomingMessage, socket: Socket, onText: (text: string) => void): void {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID);
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write([...head, `Sec-WebSocket-Accept: ${key.digest('base64')}`, '', ''].join('\r\n'));
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => (rest = takeFrames(socket, Buffer.concat([rest, data]), onText)));
}

/** Take the complete frames (a client's frames are masked) and return the rest. */
function takeFrames(socket: Socket, data: Buffer, onText: (text: string) => void): Buffer<ArrayBuffer> {
  for (;;) {
    const size = (data[1] ?? 0) & 127;
    const [start, length] = size === 126 ? [4, data.length > 3 ? data.readUInt16BE(2) : 0] : [2, size];
    if (data.length < start + 4 + length) return Buffer.from(data);
    const mask = data.subarray(start, start + 4);
    const body = data.subarray(start + 4, start + 4 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    if (((data[0] ?? 0) & 15) === 8) socket.end();
    else onText(Buffer.from(body).toString());
    data = data.subarray(start + 4 + length);
  }
}

export function textFrame(value: unknown): Buffer {
  return frame(1, Buffer.from(JSON.stringify(value)));
}

export function closeFrame(code: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return frame(8, body);
}

function frame(opcode: number, data: Buffer): Buffer {
  if (data.length < 126) return Buffer.concat([Buffer.from([128 | opcode, data.length]), data]);
  const head = Buffer.from([128 | opcode, 126, 0, 0]);
  head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}
