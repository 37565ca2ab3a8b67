/** Builds the app into dist/. Assets are in assets/, with a hash in their names. In development, the API is at port 8080. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const bundled = new Set<string>();

/** Writes licenses.txt: the license of every package that the app and its workers bundle. */
function licenses(last: boolean): Plugin {
  return {
    name: 'licenses',
    generateBundle() {
      for (const id of this.getModuleIds()) {
        const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
        if (name) bundled.add(name);
      }
      if (last) this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: [...bundled].sort().map(license).join('\n\n') });
    },
  };
}

/** The name, version and license of a package, and the text of its license. */
function license(name: string): string {
  const folder = fileURLToPath(new URL(`./node_modules/${name}/`, import.meta.url));
  const { version, license } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (!file) throw new Error(`${name} has no license file: choose another package, or add its text by hand`);
  return `${name} ${version} (${license})\n${'='.repeat(60)}\n${readFileSync(folder + file, 'utf8').trim()}`;
}

export default defineConfig({
  plugins: [svelte(), licenses(true)],
  worker: { plugins: () => [licenses(false)] },
  resolve: {
    alias: [
      { find: 'entities', replacement: fileURLToPath(new URL('./app/markdown/entities.ts', import.meta.url)) },
      // the sources of the client, not the npm package that its folder is too
      { find: /^(\.\.\/)+client$/, replacement: fileURLToPath(new URL('./client/index.ts', import.meta.url)) },
    ],
  },
  // the oldest browsers that support light-dark() in CSS
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['index.html', 'embed.html'] },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/health': 'http://127.0.0.1:8080' } },
  test: {
    include: ['client/**/*.test.ts', 'app/**/*.test.ts'],
    environment: 'node',
    // Node 20 needs this flag for the WebSocket of browsers; later versions don't
    execArgv: ['--experimental-websocket'],
  },
});
