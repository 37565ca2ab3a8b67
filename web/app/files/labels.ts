/** What is said of files, and how large their pictures stand. Pure. */
import type { SentFile } from '../../client';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `1.2 MB`, in steps of a thousand, as file managers count. */
export function sizeOf(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 999.5 && unit < UNITS.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${unit && size < 9.95 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** `PDF`: what a person calls it by the end of its name, else by its type. */
export function kindOf({ name, type }: Pick<SentFile, 'name' | 'type'>): string {
  const ending = /\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1];
  if (ending) return ending.toUpperCase();
  return type === 'application/octet-stream' ? 'File' : (type.split('/')[1]?.toUpperCase() ?? 'File');
}

export type Look = 'picture' | 'audio' | 'video' | 'card';

export function lookOf(file: SentFile): Look {
  if (file.preview && file.width && file.height) return 'picture';
  const [kind] = file.type.split('/');
  return kind === 'audio' || kind === 'video' ? playable(file.type, kind) : 'card';
}

/** What the server sends as what it is. */
const PLAYED = /^(audio\/(aac|flac|mp4|mpeg|ogg|wav)|video\/(mp4|quicktime|webm))$/;
const playable = (type: string, kind: 'audio' | 'video'): Look => (PLAYED.test(type) ? kind : 'card');

export interface Box {
  width: number;
  height: number;
}

/** The picture's shape, as large as fits; never larger than it is. */
export function fit({ width, height }: Box, most: Box): Box {
  const scale = Math.min(1, most.width / width, most.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** A message's files in a word or two, where its text says nothing. */
export function namesOf(files: SentFile[]): string {
  const [first] = files;
  if (!first) return '';
  if (files.length === 1) return first.name;
  return `${files.length} ${files.every((file) => lookOf(file) === 'picture') ? 'pictures' : 'files'}`;
}
