/** Labels for files, and the size at which pictures are shown. Pure. */
import type { SentFile } from '../../client';
import { messages as m } from '../messages';
import { numberFormat } from '../messages/language';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];
const whole = numberFormat({ maximumFractionDigits: 0, useGrouping: false });
const tenths = numberFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Return a size such as `1.2 MB`, in steps of a thousand, as file managers do. */
export function sizeOf(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 999.5 && unit < UNITS.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${(unit && size < 9.95 ? tenths : whole)(size)} ${UNITS[unit]}`;
}

/** Return the kind of a file, such as `PDF`: by the extension of its name, else by its type. */
export function kindOf({ name, type }: Pick<SentFile, 'name' | 'type'>): string {
  const ending = /\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1];
  if (ending) return ending.toUpperCase();
  return type === 'application/octet-stream' ? m.files.file : (type.split('/')[1]?.toUpperCase() ?? m.files.file);
}

export type FileDisplay = 'picture' | 'audio' | 'video' | 'card';

/** Return how a file is shown; a card is a link to download it. */
export function displayOf(file: SentFile): FileDisplay {
  if (file.preview && file.width && file.height) return 'picture';
  const [kind] = file.type.split('/');
  return kind === 'audio' || kind === 'video' ? playable(file.type, kind) : 'card';
}

/** The media types that the server serves unchanged; others are downloads. */
const PLAYED = /^(audio\/(aac|flac|mp4|mpeg|ogg|wav)|video\/(mp4|quicktime|webm))$/;
const playable = (type: string, kind: 'audio' | 'video'): FileDisplay => (PLAYED.test(type) ? kind : 'card');

export interface Box {
  width: number;
  height: number;
}

/** Return the largest size with the picture's proportions that fits into a box; never larger than the picture. */
export function fit({ width, height }: Box, most: Box): Box {
  const scale = Math.min(1, most.width / width, most.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Return the name of one file, or the number of several; empty for none. */
export function namesOf(files: SentFile[]): string {
  const [first] = files;
  if (!first) return '';
  if (files.length === 1) return first.name;
  return files.every((file) => displayOf(file) === 'picture') ? m.files.pictures(files.length) : m.files.files(files.length);
}
