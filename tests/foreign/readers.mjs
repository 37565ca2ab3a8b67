// Clients of npm that read one stream at once, each as its documentation shows, and print messages as lines of JSON:
// {"client", "body"}. An EventSource also prints {"client", "state"} at each error. They end when standard input does.
//
//     node readers.mjs URL TOKEN [CLIENT…]
import { fetchEventSource } from '@microsoft/fetch-event-source';
import polyfill from 'event-source-polyfill';
import { EventSource } from 'eventsource';
import { createEventSource } from 'eventsource-client';

const [url, token, ...chosen] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

// What `fetchEventSource` and the polyfill expect of a browser.
globalThis.window = globalThis;
globalThis.document = { hidden: false, readyState: 'complete', addEventListener() {}, removeEventListener() {} };

const print = (client) => (event) => console.log(JSON.stringify({ client, body: JSON.parse(event.data).body }));

const clients = {
  eventsource(say) {
    const withToken = (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } });
    const source = new EventSource(url, { fetch: withToken });
    source.addEventListener('message', say);
    source.onerror = () => console.log(JSON.stringify({ client: 'eventsource', state: source.readyState }));
  },
  'eventsource-client'(say) {
    createEventSource({ url, headers, onMessage: (event) => event.event ?? say(event) });
  },
  'event-source-polyfill'(say) {
    new polyfill.EventSourcePolyfill(url, { headers }).addEventListener('message', say);
  },
  'fetch-event-source'(say) {
    fetchEventSource(url, {
      headers,
      onmessage: (event) => event.event || (event.data && say(event)),
      onclose() {
        throw new Error('closed by the server: connect again');
      },
    });
  },
};

for (const name of chosen.length ? chosen : Object.keys(clients)) clients[name](print(name));
process.stdin.on('end', () => process.exit()).resume();
