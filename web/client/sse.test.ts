/** The parser returns the same frames however the text is cut into pieces. */
import { expect, test } from 'vitest';
import { randomFrom } from './testing/seeded-random';
import { SseParser } from './sse';

const parse = (text: string) => new SseParser().push(text);

test('a message has no event line and is named message', () => {
  expect(parse('id: k3v9.1042\ndata: {"seq":340}\n\n')).toEqual([
    { id: 'k3v9.1042', event: 'message', data: '{"seq":340}', retry: null },
  ]);
});

test('named events, retry, comments and unknown fields', () => {
  const text = ': hello\nretry: 2137\nid: a.1\nevent: ready\ndata: {}\nwhat: ever\n\n';
  expect(parse(text)).toEqual([{ id: 'a.1', event: 'ready', data: '{}', retry: 2137 }]);
});

test('several data lines are joined, and one leading space is removed', () => {
  expect(parse('data: one\ndata:two\ndata:  three\ndata\n\n')[0]?.data).toBe('one\ntwo\n three\n');
});

test('LF, CR and CRLF all end a line, also when CRLF is cut in two', () => {
  const parser = new SseParser();
  const frames = [
    ...parser.push('data: a\r'),
    ...parser.push('\n\r'),
    ...parser.push('\ndata: b\r\rdata: c\n\n'),
  ];
  expect(frames.map((frame) => frame.data)).toEqual(['a', 'b', 'c']);
});

test('an id belongs only to its own frame', () => {
  expect(parse('id: a.1\ndata: x\n\ndata: y\n\n').map((frame) => frame.id)).toEqual(['a.1', null]);
});

test('a byte order mark, an id with NUL, a retry that is not a number and an empty frame are ignored', () => {
  expect(parse('\uFEFFdata: x\n\nid: a\0b\nretry: soon\n\n\n\n')).toEqual([
    { id: null, event: 'message', data: 'x', retry: null },
  ]);
});

test('an unfinished frame is not returned', () => {
  const parser = new SseParser();
  expect(parser.push('data: half')).toEqual([]);
  expect(parser.push('\n')).toEqual([]);
  expect(parser.push('\n')).toHaveLength(1);
});

test('the frames are the same however the text is cut', () => {
  const text =
    'retry: 5\r\nid: e.1\r\nevent: ready\r\ndata: {}\r\n\r\nid: e.2\ndata: héllo 👋\ndata: مرحبا\n\n: beat\n\rid: e.3\rdata: z\r\r\n';
  const whole = parse(text);
  expect(whole).toHaveLength(3);
  for (let seed = 1; seed <= 300; seed++) {
    const [parser, random] = [new SseParser(), randomFrom(seed)];
    const frames = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + Math.floor(random() * 9);
      frames.push(...parser.push(text.slice(at, at + size)));
      at += size;
    }
    expect(frames, `seed ${seed}`).toEqual(whole);
  }
});
