/** Builds the app into dist/, every asset under assets/ with a hash in its name; in development, the API comes from :8080. */
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { entities: fileURLToPath(new URL('./app/markdown/entities.ts', import.meta.url)) } },
  // the oldest browsers that know light-dark() in CSS
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/health': 'http://127.0.0.1:8080' } },
  test: {
    include: ['client/**/*.test.ts', 'app/**/*.test.ts'],
    environment: 'node',
    // Node 20 has browsers' WebSocket behind this flag, later ones by themselves
    execArgv: ['--experimental-websocket'],
  },
});
