// Upload a file in every way that tus-js-client and Uppy have. Arguments: the endpoint, a token, the file. Prints the
// address of each upload as JSON.
import { readFileSync } from 'node:fs';
import Uppy from '@uppy/core';
import Tus from '@uppy/tus';
import * as tus from 'tus-js-client';

const [endpoint, token, path] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const data = readFileSync(path);
const chunkSize = 300_000;
const common = { endpoint, headers, chunkSize, retryDelays: [100] };

function upload(name, options = {}) {
  return new Promise((resolve, reject) => {
    const metadata = { filename: `${name}.bin`, filetype: 'application/octet-stream' };
    const one = new tus.Upload(data, {
      ...common, ...options, metadata, onError: reject, onSuccess: () => resolve(one.url),
    });
    one.start();
  });
}

/** Stop after the first chunk, and continue with another object, which asks for the offset. */
function resume() {
  return new Promise((resolve, reject) => {
    const first = new tus.Upload(data, {
      ...common, metadata: { filename: 'resumed.bin' }, onError: reject,
      onChunkComplete: async () => {
        await first.abort();
        resolve(upload('resumed', { uploadUrl: first.url }));
      },
    });
    first.start();
  });
}

async function terminate() {
  const url = await upload('gone');
  await tus.Upload.terminate(url, { headers });
  return url;
}

async function byUppy() {
  const uppy = new Uppy({ allowMultipleUploadBatches: false }).use(Tus, common);
  uppy.addFile({ name: 'uppy.bin', type: 'application/octet-stream', data });
  const { successful, failed } = await uppy.upload();
  if (failed.length) throw failed[0].error;
  return successful[0].uploadURL;
}

console.log(JSON.stringify({
  whole: await upload('whole', { chunkSize: Infinity }),
  pieces: await upload('pieces'),
  resumed: await resume(),
  override: await upload('override', { overridePatchMethod: true }),
  early: await upload('early', { uploadDataDuringCreation: true }),
  gone: await terminate(),
  uppy: await byUppy(),
}));
