/** The painter's thread: painting some codes takes long, which must not keep the page waiting. */
import { paint } from './languages';
import type { Block } from './render';

self.postMessage(null); // the languages are loaded
self.onmessage = ({ data: { code, language } }: MessageEvent<Block>) => self.postMessage(paint(code, language));
