/** Writes compressed copies beside the built files. The server sends them to browsers that accept them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const DIST = `${import.meta.dirname}/dist/`;
const TEXT = /\.(js|css|html|svg|txt|json|webmanifest)$/;
const LEAST = 1024; // bytes: smaller files fit into one packet anyway

/** Compress one file, unless that makes it no smaller. */
async function compress(name) {
  const content = readFileSync(DIST + name);
  if (content.length < LEAST) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const [br, gz] = await Promise.all([promisify(brotliCompress)(content, { params }), promisify(gzip)(content, { level: 9 })]);
  if (br.length < content.length) writeFileSync(`${DIST}${name}.br`, br);
  if (gz.length < content.length) writeFileSync(`${DIST}${name}.gz`, gz);
}

await Promise.all(readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((name) => TEXT.test(name)).map(compress));
