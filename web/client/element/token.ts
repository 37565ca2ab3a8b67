/** JSON Web Tokens as a client sees them: whose they are, and until when. Pure; times are milliseconds. */

export interface Claims {
  /** Names the user among all users of the application. Undefined in a token that cannot be read. */
  subject: string | undefined;
  /** When the token expires. `Infinity` if the token does not say so. */
  expiresAt: number;
}

/** Gives a token, a new one each time. */
export type TokenSource = () => string | Promise<string>;

const [SHORTEST_DELAY, LONGEST_MARGIN] = [1_000, 60_000];
/** The longest time that browsers' timers keep exactly. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Read a token without checking it; only the server can. */
export function claimsOf(token: string): Claims {
  try {
    const part = (token.split('.', 3)[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    const { sub, iss = '', exp } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    return {
      subject: typeof sub === 'string' ? `${String(iss)} ${sub}` : undefined,
      expiresAt: typeof exp === 'number' ? exp * 1000 : Infinity,
    };
  } catch {
    return { subject: undefined, expiresAt: Infinity };
  }
}

/** Return how long to wait before renewing a token: until a minute before it expires, or a fifth of a shorter life. */
export function renewalDelay(expiresAt: number, now: number): number {
  const left = Math.max(0, expiresAt - now);
  return Math.min(Math.max(SHORTEST_DELAY, left - Math.min(LONGEST_MARGIN, left / 5)), LONGEST_TIMER);
}
