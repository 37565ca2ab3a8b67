/** Every language has every text, translated, with the same parts. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemTexts } from '../problems';
import { catalogs } from '.';
import './dashboard';
import { en } from './en';
import { dateFormat, directionOf, Grammar, LANGUAGES, languageFor, setLanguage } from './language';

type Texts = Record<string, unknown>;

/** Texts that a language shares with English: names, and words that it has borrowed. */
const SHARED = JSON.parse(readFileSync(`${import.meta.dirname}/shared.json`, 'utf8')) as Record<string, string[]>;

/** Errors that only programs meet, and `wrong_usage`, whose text shows how the command is used. */
const FOR_PROGRAMS =
  /^(author_disabled|bad_(body|form|frame|handshake|logout_token|request)|body_not_allowed|bot_status|compressed|crowded|expectation_failed|external_kind|foreign_origin|gap|head_too_large|keys_only|length_required|limited_key|method_not_allowed|missing_scope|more_rights|no_author|no_socket|no_text|not_a_piece|not_for_keys|other_text|other_tus_version|too_many_(commands|deliveries|sockets|streams|watched)|unfinished|unknown_(parameter|user)|upgrade_required|user_disabled|web_not_built|wrong_(offset|usage)|address_too_long)$/;

const others = Object.keys(LANGUAGES).filter((one) => one !== 'en') as (keyof typeof LANGUAGES)[];

/** Yield each text with its path. */
function* textsOf(value: unknown, path = ''): Generator<[path: string, text: unknown]> {
  if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* textsOf(inner, path ? `${path}.${key}` : key);
  else yield [path, value];
}

/** Return a text if it has letters; of a function, its literals. */
function wordsOf(text: unknown): string[] {
  const literals = typeof text === 'function' ? [...String(text).matchAll(/(["'`])(.*?)\1/gs)].map(([, , one]) => one ?? '') : [String(text)];
  return literals.filter((one) => /\p{L}{2}/u.test(one.replace(/\$\{[^}]*\}/g, '')));
}

/** Return the names that a text takes and uses: a translation that drops one loses a name or a count. */
function partsOf(text: unknown): string[] {
  const source = String(text);
  const [, taken = ''] = /^\(?([^)]*?)\)?\s*=>/.exec(source) ?? [];
  const names = taken.split(',').map((one) => one.trim()).filter(Boolean);
  return names.map((name, n) => (new RegExp(`\\b${name}\\b`).test(source.slice(source.indexOf('=>'))) ? `${n}` : ''));
}

/** Return the Python code of the server, with `#` for numbers. */
function serverTexts(): string {
  const root = `${import.meta.dirname}/../../../chat/`;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.py'));
  return files.map((name) => readFileSync(root + name, 'utf8').replace(/\{\w+\}|\d+/g, '#')).join('\n');
}

const english = new Map(textsOf({ ...en, problems: {} }));

test('every action that the server records has a text', () => {
  const recorded = /\b(?:record|audit)\((?:[^"()]|\([^()]*\))*"([a-z]+\.[a-z]+)"/g;
  const actions = new Set([...serverTexts().matchAll(recorded)].map(([, action]) => action ?? ''));
  expect(actions.size).toBeGreaterThan(30);
  expect([...actions].filter((one) => !en.app.events[one])).toEqual([]);
});

test('every module with texts of the dashboard loads them', () => {
  const app = `${import.meta.dirname}/../`;
  const sources = readdirSync(app, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ts|svelte)$/.test(name));
  const using = sources.filter((name) => /\bm\.(dashboard|glossary)\b/.test(readFileSync(app + name, 'utf8')));
  expect(using.length).toBeGreaterThan(20);
  expect(using.filter((name) => !readFileSync(app + name, 'utf8').includes("from '../messages/dashboard'"))).toEqual([]);
});

test('every language has a catalog', () => {
  expect(Object.keys(catalogs).sort()).toEqual([...others].sort());
});

describe.each(others)('%s', (language) => {
  const load = async () => {
    const { problems, ...rest } = (await catalogs[language]?.()) as Texts & { problems: typeof en.problems };
    return { problems, texts: new Map(textsOf(rest)) };
  };

  test('has the same texts', async () => {
    expect([...(await load()).texts.keys()].sort()).toEqual([...english.keys()].sort());
  }, 30_000);

  test('has every text translated', async () => {
    const allowed = new Set([...(SHARED['all'] ?? []), ...(SHARED[language] ?? [])]);
    const same = [...(await load()).texts].filter(([path, text]) => String(text) === String(english.get(path)));
    expect(same.flatMap(([, text]) => wordsOf(text)).filter((text) => !allowed.has(text))).toEqual([]);
  });

  test('names and counts are in every text that has them in English', async () => {
    const different = [...(await load()).texts].filter(([path, text]) => {
      const before = english.get(path);
      return typeof before !== typeof text || (typeof text === 'function' && partsOf(before).join() !== partsOf(text).join());
    });
    expect(different).toEqual([]);
  });

  test('has a text for every error that a user can meet', async () => {
    const errors = JSON.parse(readFileSync(`${import.meta.dirname}/../../../tests/golden/errors.json`, 'utf8')) as Record<string, string[]>;
    const codes = new Set(Object.values(errors).flat().filter((code) => !FOR_PROGRAMS.test(code)));
    const { problems } = await load();
    expect([...codes].filter((code) => !problems.codes[code])).toEqual([]);
  });

  test('texts about fields are those of the server', async () => {
    const unknown = Object.keys((await load()).problems.fields).filter((text) => !serverTexts().includes(text));
    expect(unknown.filter((text) => !/^(String should|Field required)/.test(text))).toEqual([]);
  });
});

test('the choice comes first, then what the browser prefers', () => {
  expect(languageFor('', ['tlh', 'en-GB', 'en'])).toBe('en');
  expect(languageFor('klingon', ['tlh'])).toBe('en');
  expect(languageFor('toString', [])).toBe('en');
});

test('dates follow the variant of the language that the browser prefers', () => {
  setLanguage('en', ['fr', 'en-GB']);
  expect(dateFormat({ dateStyle: 'short' })(new Date(2026, 10, 30))).toBe('30/11/2026');
  setLanguage('en', []);
  expect(['en', 'ar', 'he', 'ar-EG'].map(directionOf)).toEqual(['ltr', 'rtl', 'ltr', 'ltr']);
});

test('counts take the forms of the language', () => {
  const arabic = new Grammar('ar');
  const forms = { zero: 'z', one: 'o', two: 't', few: 'f', many: 'm', other: 'x' };
  expect([0, 1, 2, 3, 11, 100].map((count) => arabic.plural(count, forms)).join('')).toBe('zotfmx');
  const german = new Grammar('de');
  expect(german.plural(1234, { one: '# Antwort', other: '# Antworten' })).toBe('1.234 Antworten');
  expect(new Grammar('ja').plural(1, { other: '#件' })).toBe('1件');
  expect(german.list(['Ana', 'Ben', 'Cleo'])).toBe('Ana, Ben und Cleo');
});

test('errors are told in the language, with the numbers of the server', () => {
  const texts = problemTexts({
    codes: { archived: 'Archiviert.' },
    fields: { 'must have # to # characters': 'Verwende # bis # Zeichen.' },
    status: (status) => `Antwort ${status}`,
  });
  expect(texts.detail({ code: 'archived', status: 403, retryAfter: undefined })).toBe('Archiviert.');
  expect(texts.detail({ code: 'http_502', status: 502, retryAfter: undefined })).toBe('Antwort 502');
  expect(texts.detail({ code: 'toString', status: 403, retryAfter: undefined })).toBeUndefined();
  expect(texts.field('must have 10 to 256 characters')).toBe('Verwende 10 bis 256 Zeichen.');
  expect(texts.field('must be 7')).toBeUndefined();
});
