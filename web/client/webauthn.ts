/**
 * Passkeys in the browser. Options and answers are JSON with bytes in base64url, as in WebAuthn 3. The browsers'
 * own conversions are newer than the oldest browsers that the app supports.
 */
import { Problem } from './problem';

type Json = Record<string, unknown>;

/** Return true if this page can use passkeys. They need HTTPS or localhost, and do not work on an IP address. */
export function canUsePasskeys(host = globalThis.location?.hostname ?? ''): boolean {
  return 'PublicKeyCredential' in globalThis && !/^[\d.]+$|:|^\[/.test(host);
}

/** Ask the browser to create a passkey. */
export async function createPasskey(options: object): Promise<Json> {
  const { user, excludeCredentials = [], ...rest } = options as Json & { user: Json; excludeCredentials?: Json[] };
  const publicKey = {
    ...rest,
    challenge: decode(rest['challenge']),
    user: { ...user, id: decode(user['id']) },
    excludeCredentials: excludeCredentials.map(withBytes),
  };
  const made = await ask(() => navigator.credentials.create({ publicKey } as unknown as CredentialCreationOptions));
  const response = made.response as AuthenticatorAttestationResponse;
  return serialize(made, {
    clientDataJSON: encode(response.clientDataJSON),
    attestationObject: encode(response.attestationObject),
    transports: response.getTransports(),
  });
}

/** Ask the browser to sign a challenge with a passkey. */
export async function signWithPasskey(options: object): Promise<Json> {
  const { allowCredentials = [], ...rest } = options as Json & { allowCredentials?: Json[] };
  const publicKey = {
    ...rest,
    challenge: decode(rest['challenge']),
    allowCredentials: allowCredentials.map(withBytes),
  };
  const made = await ask(() => navigator.credentials.get({ publicKey } as unknown as CredentialRequestOptions));
  const response = made.response as AuthenticatorAssertionResponse;
  return serialize(made, {
    clientDataJSON: encode(response.clientDataJSON),
    authenticatorData: encode(response.authenticatorData),
    signature: encode(response.signature),
    userHandle: response.userHandle && encode(response.userHandle),
  });
}

async function ask(work: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const made = await work().catch((error: unknown) => {
    throw new Problem({ status: 0, code: 'no_passkey', detail: detailOf(error) });
  });
  if (!made) throw new Problem({ status: 0, code: 'no_passkey', detail: 'No passkey was chosen.' });
  return made as PublicKeyCredential;
}

function detailOf(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'InvalidStateError') return 'This device already has a passkey for your account.';
  if (name === 'SecurityError') return 'Passkeys need HTTPS and a domain name.';
  return 'No passkey was used. Try again, or use another way.';
}

const serialize = (made: PublicKeyCredential, response: Json): Json => ({
  id: made.id,
  rawId: made.id,
  type: made.type,
  response,
});

const withBytes = (one: Json): Json => ({ ...one, id: decode(one['id']) });

function decode(text: unknown): Uint8Array {
  const letters = atob(String(text).replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function encode(bytes: ArrayBuffer): string {
  const letters = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
