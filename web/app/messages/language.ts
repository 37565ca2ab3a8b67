/** The language of the app: which one is shown, and the numbers, dates and lists of it. */

/** The languages that have a catalog, each named in itself. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', ar: 'العربية', ja: '日本語' } as const;

export type Language = keyof typeof LANGUAGES;

const RIGHT_TO_LEFT: readonly string[] = ['ar'];

/** The language that is shown. */
export let language: Language = 'en';
/** The locale of dates and numbers: as the browser prefers it, such as `en-GB`, if that is of the language. */
export let locale = 'en';

const baseOf = (tag: string) => tag.toLowerCase().split('-')[0] ?? '';

export const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag);

/** Return the chosen language, or else the first preferred one that has a catalog, or else English. */
export function languageFor(chosen: string, preferred: readonly string[]): Language {
  return [chosen, ...preferred.map(baseOf)].find(isLanguage) ?? 'en';
}

export function setLanguage(next: Language, preferred: readonly string[]): void {
  language = next;
  locale = preferred.find((tag) => baseOf(tag) === next) ?? next;
}

export const directionOf = (one: string): 'ltr' | 'rtl' => (RIGHT_TO_LEFT.includes(one) ? 'rtl' : 'ltr');

/** Return a function that calls `make` once, at its first use: the language is known by then, and making a format is slow. */
function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}

/** Return a function that writes dates in the language of the app. */
export function dateFormat(options: Intl.DateTimeFormatOptions): (date: Date | number) => string {
  const format = once(() => new Intl.DateTimeFormat(locale, options));
  return (date) => format().format(date);
}

/** Return a function that writes numbers in the language of the app. */
export function numberFormat(options: Intl.NumberFormatOptions): (n: number) => string {
  const format = once(() => new Intl.NumberFormat(locale, options));
  return (n) => format().format(n);
}

/** The forms of a text for a count; `#` stands for the number. `other` is used where a language lacks a form. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** The grammar of a language, for the functions in its catalog. */
export class Grammar {
  private readonly rules: () => Intl.PluralRules;
  private readonly numbers: () => Intl.NumberFormat;
  private readonly lists: () => Intl.ListFormat;

  constructor(language: string) {
    this.rules = once(() => new Intl.PluralRules(language));
    this.numbers = once(() => new Intl.NumberFormat(language));
    this.lists = once(() => new Intl.ListFormat(language));
  }

  /** Return the form for a count: `plural(2, { one: '# reply', other: '# replies' })` is `2 replies`. */
  plural = (count: number, forms: Forms): string =>
    (forms[this.rules().select(count)] ?? forms.other).replaceAll('#', () => this.number(count));

  number = (n: number): string => this.numbers().format(n);

  /** Return the names as a list, such as `Ana, Ben and Cleo`. */
  list = (names: readonly string[]): string => this.lists().format(names);
}
