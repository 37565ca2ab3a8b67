/**
 * The texts of the app, in the language of the user. English is built in, and others load before the app is mounted:
 * modules read `messages` in functions, not while they are loaded.
 */
import { Problem } from '../../client/problem';
import { keep, kept } from '../local-storage';
import { problemTexts } from '../problems';
import { en } from './en';
import { directionOf, type Language, language, languageFor, setLanguage } from './language';

export type Messages = typeof en;
export let messages: Messages = en;

export const catalogs: Partial<Record<Language, () => Promise<Messages>>> = {
  de: async () => (await import('./de')).de,
  es: async () => (await import('./es')).es,
  ar: async () => (await import('./ar')).ar,
  ja: async () => (await import('./ja')).ja,
};

/** Where the user's choice is stored on this device; empty for the language of the browser. */
const CHOICE = 'tandem.language';

/** The choice for this page. An address of a frame can have another one: `?language=de`. */
function chosen(): string {
  const asked = location.pathname.startsWith('/embed/') ? new URLSearchParams(location.search).get('language') : null;
  return asked ?? kept('device', CHOICE) ?? '';
}

/** Load the texts of the chosen language, or else of the browser's. If they cannot be loaded, the app is in English. */
export async function loadMessages(): Promise<void> {
  const wanted = languageFor(chosen(), navigator.languages);
  const loaded = await catalogs[wanted]?.().catch(() => undefined);
  messages = loaded ?? en;
  Problem.texts = loaded ? problemTexts(loaded.problems) : null;
  setLanguage(loaded ? wanted : 'en', navigator.languages);
  Object.assign(document.documentElement, { lang: language, dir: directionOf(language) });
}

/** Store the user's choice on this device. Load the page again if it is in another language. */
export function useLanguage(choice: string): void {
  if (choice === (kept('device', CHOICE) ?? '')) return;
  keep('device', CHOICE, choice);
  const isStored = choice === (kept('device', CHOICE) ?? '');
  if (isStored && languageFor(chosen(), navigator.languages) !== language) location.reload();
}

/** Delete everything else that is stored on this device. */
export function keepLanguage(forget: () => void): void {
  const choice = kept('device', CHOICE) ?? '';
  forget();
  keep('device', CHOICE, choice);
}
