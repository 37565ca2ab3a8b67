import { expect, it } from 'vitest';
import { fit, kindOf, displayOf, namesOf, sizeOf } from './labels';

const file = (name: string, type: string, more = {}) => ({ id: 1, name, size: 10, type, ...more });
const photo = file('a.png', 'image/png', { width: 800, height: 600, preview: true });

it('writes sizes in steps of a thousand', () => {
  const sizes = [0, 1, 999, 1000, 1234, 9_940, 9_960, 999_499, 999_500, 104_857_600, 5.4e9].map(sizeOf);
  expect(sizes).toEqual(['0 B', '1 B', '999 B', '1.0 KB', '1.2 KB', '9.9 KB', '10 KB', '999 KB', '1.0 MB', '105 MB', '5.4 GB']);
});

it('names the kind of a file by its extension, else by its type', () => {
  expect(kindOf(file('a.tar.gz', 'application/gzip'))).toBe('GZ');
  expect(kindOf(file('README', 'text/plain'))).toBe('PLAIN');
  expect(kindOf(file('README', 'application/octet-stream'))).toBe('File');
});

it('shows pictures with a preview and plays media that the server serves as such', () => {
  expect(displayOf(photo)).toBe('picture');
  expect(displayOf(file('a.png', 'image/png'))).toBe('card');
  expect(displayOf(file('a.svg', 'image/svg+xml', { width: 1, height: 1 }))).toBe('card');
  expect([displayOf(file('a', 'audio/mpeg')), displayOf(file('a', 'video/mp4')), displayOf(file('a', 'video/x-matroska'))]).toEqual([
    'audio',
    'video',
    'card',
  ]);
});

it('fits pictures into a box without making them larger', () => {
  expect(fit({ width: 800, height: 600 }, { width: 400, height: 320 })).toEqual({ width: 400, height: 300 });
  expect(fit({ width: 100, height: 2_000 }, { width: 400, height: 320 })).toEqual({ width: 16, height: 320 });
  expect(fit({ width: 30, height: 20 }, { width: 400, height: 320 })).toEqual({ width: 30, height: 20 });
  expect(fit({ width: 9_000, height: 1 }, { width: 400, height: 320 })).toEqual({ width: 400, height: 1 });
});

it('summarizes the files of a message', () => {
  expect([namesOf([]), namesOf([photo]), namesOf([photo, photo])]).toEqual(['', 'a.png', '2 pictures']);
  expect(namesOf([photo, file('b', 'text/plain')])).toBe('2 files');
});
