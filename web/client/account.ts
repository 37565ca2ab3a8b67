/**
 * An account: the set-up by an owner, invite links, the second step of logging in, proof of identity, the
 * authenticator app, passkeys.
 */
import type { Api } from './api';
import type { Problem } from './problem';
import type {
  Factors,
  InvitePreview,
  NewAuthenticator,
  NewPasskeyMade,
  PasskeyOptions,
  ProofState,
  SetUp,
  RecoveryCodes,
  SignedIn,
  SignOnStep,
} from './schema';
import { createPasskey, signWithPasskey } from './webauthn';

export type { Factors, NewAuthenticator, Passkey } from './schema';

/** The ways to continue after the correct password. */
export interface SecondStep {
  challenge: string;
  methods: ('totp' | 'passkey' | 'recovery_code')[];
  /** Options to pass to the browser, if the user has passkeys. */
  passkey?: object;
}

/** Return the second step that logging in needs, or null for any other problem. */
export function secondStepOf({ code, status, document }: Problem): SecondStep | null {
  return code === 'second_factor_required' && status === 401 ? (document as unknown as SecondStep) : null;
}

const PROOF = '/api/sessions/current/proof';
const ME = '/api/users/me';

export class Account {
  constructor(private readonly api: Api) {}

  /** Create the account of the server's owner with the secret from a set-up link, and name the team. */
  setUp(form: SetUp): Promise<SignedIn> {
    return this.api.call('POST', '/api/setup', form);
  }

  /** Return the team, who made an invite link, and its conversation if it leads to one. */
  previewInvite(code: string): Promise<InvitePreview> {
    return this.api.call('POST', '/api/invites/preview', { code });
  }

  /** Finish logging in with a code. */
  finishWith(step: SecondStep, proof: { totp: string } | { recovery_code: string }, device: string): Promise<SignedIn> {
    return this.api.call('POST', '/api/sessions/second', { challenge: step.challenge, ...proof, device });
  }

  /** Finish logging in with a passkey. The browser asks the user for it. */
  async finishWithPasskey(step: SecondStep, device: string): Promise<SignedIn> {
    const passkey = await signWithPasskey(step.passkey ?? {});
    return this.api.call('POST', '/api/sessions/second', { challenge: step.challenge, passkey, device });
  }

  /** Log in with a passkey only, without a name and a password. */
  async logInWithPasskey(device: string): Promise<SignedIn> {
    const { challenge, options } = await this.api.call<PasskeyOptions>('POST', '/api/passkeys/login/options', {});
    const passkey = await signWithPasskey(options);
    return this.api.call('POST', '/api/passkeys/login', { challenge, passkey, device });
  }

  /** Return how long sensitive changes need no new proof, and which kinds of proof the server accepts. */
  proof(): Promise<ProofState> {
    return this.api.call('GET', PROOF);
  }

  prove(proof: { password: string } | { totp: string }): Promise<void> {
    return this.api.call('POST', PROOF, proof);
  }

  async proveWithPasskey(): Promise<void> {
    const { challenge, options } = await this.api.call<PasskeyOptions>('POST', `${PROOF}/options`, {});
    return this.api.call('POST', PROOF, { challenge, passkey: await signWithPasskey(options) });
  }

  /**
   * Return the address at the sign-on provider where the user proves who they are, or links this account. The browser
   * then comes to `next`, a path of this server.
   */
  async providerStep(purpose: 'proof' | 'link', next: string): Promise<string> {
    return (await this.api.call<SignOnStep>('POST', '/api/oidc/login', { purpose, next })).url;
  }

  factors(): Promise<Factors> {
    return this.api.call('GET', `${ME}/factors`);
  }

  /** Begin to add an authenticator app. It takes effect after `confirmAuthenticator` gets a code from it. */
  beginAuthenticator(): Promise<NewAuthenticator> {
    return this.api.call('POST', `${ME}/totp`, {});
  }

  /** Return recovery codes if this is the account's first second factor, otherwise an empty list. */
  async confirmAuthenticator(totp: string): Promise<string[]> {
    return (await this.api.call<RecoveryCodes>('PUT', `${ME}/totp`, { totp })).recovery_codes;
  }

  removeAuthenticator(): Promise<void> {
    return this.api.call('DELETE', `${ME}/totp`);
  }

  /** Return recovery codes if this is the account's first second factor, otherwise an empty list. */
  async addPasskey(name: string): Promise<string[]> {
    const { challenge, options } = await this.api.call<PasskeyOptions>('POST', `${ME}/passkeys/options`, {});
    const passkey = await createPasskey(options);
    const form = { challenge, passkey, name };
    return (await this.api.call<NewPasskeyMade>('POST', `${ME}/passkeys`, form)).recovery_codes;
  }

  renamePasskey(id: number, name: string): Promise<void> {
    return this.api.call('PATCH', `${ME}/passkeys/${id}`, { name });
  }

  removePasskey(id: number): Promise<void> {
    return this.api.call('DELETE', `${ME}/passkeys/${id}`);
  }

  async renewRecoveryCodes(): Promise<string[]> {
    return (await this.api.call<RecoveryCodes>('POST', `${ME}/recovery-codes`, {})).recovery_codes;
  }
}
