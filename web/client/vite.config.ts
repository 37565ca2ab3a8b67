/**
 * Builds the npm package to client/dist. With `--mode page`, builds `<tandem-chat>` as one file into the web app, so that
 * pages can load it from their Tandem server: /tandem-chat.js.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const target = ['chrome123', 'firefox120', 'safari17.5', 'node20'];

/** Writes the types. Node's module resolution needs the file extensions that our sources leave out. */
const declarations: Plugin = {
  name: 'declarations',
  closeBundle() {
    execFileSync(process.execPath, [at('../node_modules/typescript/bin/tsc'), '--project', at('tsconfig.json')], { stdio: 'inherit' });
    for (const name of readdirSync(at('dist'), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.d.ts')) continue;
      const path = at(`dist/${name}`);
      writeFileSync(path, readFileSync(path, 'utf8').replace(/(from |import\()(['"])(\.[^'"]*)\2/g, '$1$2$3.js$2'));
    }
  },
};

const element = at('element/tandem-chat.ts');

const npmPackage = {
  outDir: at('dist'),
  emptyOutDir: true,
  lib: { entry: { index: at('index.ts'), element }, formats: ['es' as const] },
  rolldownOptions: { output: { chunkFileNames: 'shared.js' } },
};
const page = {
  outDir: at('../dist'),
  emptyOutDir: false,
  modulePreload: { polyfill: false },
  rolldownOptions: { input: { 'tandem-chat': element }, output: { entryFileNames: '[name].js' }, preserveEntrySignatures: 'strict' as const },
};

export default defineConfig(({ mode }) => ({
  root: at('.'),
  publicDir: false,
  logLevel: 'warn',
  plugins: mode === 'page' ? [] : [declarations],
  build: { target, ...(mode === 'page' ? page : npmPackage) },
}));
