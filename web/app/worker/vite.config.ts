/** Builds the service worker as one file, /sw.js, into the built app. It knows the files that the first page needs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(() => {
  const page = readFileSync(at('../../dist/index.html'), 'utf8');
  const files = [...page.matchAll(/(?:src|href)="(\/(?:assets\/[^"]+|look\.js))"/g)].map(([, path]) => path);
  const version = createHash('sha256').update(page).digest('hex').slice(0, 12);
  return {
    root: at('.'),
    publicDir: false as const,
    logLevel: 'warn' as const,
    define: { SHELL_FILES: JSON.stringify(files), SHELL_VERSION: JSON.stringify(version) },
    build: {
      outDir: at('../../dist'),
      emptyOutDir: false,
      target: ['chrome123', 'firefox120', 'safari17.5'],
      lib: { entry: at('service-worker.ts'), formats: ['iife' as const], name: 'worker', fileName: () => 'sw.js' },
    },
  };
});
