/**
 * A change of the password gives this session a new cookie or token. A request that was sent with the old one and
 * arrives after the change gets a 401, although the session has not ended.
 */
let running = 0;
let ended = 0;
let replaced: Promise<unknown> = Promise.resolve();

/** Run the call that replaces the cookie or token of this page. */
export async function replaceCredentials<T>(call: () => Promise<T>): Promise<T> {
  running += 1;
  const result = call().finally(() => ([running, ended] = [running - 1, ended + 1]));
  replaced = Promise.allSettled([replaced, result]);
  return result;
}

/**
 * Fetch. If the answer is 401 and the cookie or token was being replaced meanwhile, wait for that and fetch once more.
 * `request` is called for each attempt, because its headers may contain the token.
 */
export async function fetchWithCredentials(url: string, request: () => RequestInit): Promise<Response> {
  const before = ended;
  const response = await fetch(url, request());
  if (response.status !== 401 || (running === 0 && ended === before)) return response;
  await replaced;
  return fetch(url, request());
}
