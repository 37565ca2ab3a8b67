/** Highlights code in a worker, because some code takes long to highlight and would block the page. */
import { paint } from './languages';
import type { Block } from './render';

self.postMessage(null); // the languages are loaded
self.onmessage = ({ data: { code, language } }: MessageEvent<Block>) => self.postMessage(paint(code, language));
