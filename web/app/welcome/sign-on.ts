/** The way to the sign-on provider and back. */
import { messages as m } from '../messages';
import { route } from '../route.svelte';

const FAILURE = 'sign_on';
const NEXT_MOST = 500;
/** The page on which a window ends that was opened to prove an identity. */
export const CONFIRMED = '/confirmed';
export const confirmations = 'tandem sign-on';

/** Return why the provider let the user do nothing, or an empty text. Remove it from the address. */
export function takeFailure(): string {
  const code = route.query.get(FAILURE);
  if (code === null) return '';
  route.ask({ [FAILURE]: null }, true);
  return m.welcome.signOnFailures[code] ?? m.welcome.signOnFailed;
}

/** Return the address of the log-in at the provider, which ends on the page that is open now. */
export function loginAddress(login: string): string {
  const here = location.pathname + route.asking({ [FAILURE]: null });
  return `${login}?${new URLSearchParams({ next: here.length > NEXT_MOST ? '/' : here })}`;
}
