// @vitest-environment jsdom
/** Time grows linearly with untrusted text: eight times the text takes at most twenty times as long. */
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { compareCursors, parseCursor, Position } from '../client/cursor';
import { codePoints, withoutFirst } from '../client/message';
import { piecesOf } from '../client/element/text';
import { claimsOf } from '../client/element/token';
import { SseParser } from '../client/sse';
import { limitMarks, lookKey } from './appearance';
import { commandIn, complete, tokenAt, withoutEscape } from './composer/completion';
import { asLink, nextLine, toggleLines, toggleMark } from './composer/formatting';
import { customNames, findCustom, findEmoji, nameOfFile, splitSigns } from './emoji/find';
import { differences } from './evidence/difference';
import { cases, findSlow, hostile, type Run } from './growth';
import { pictures } from './markdown/custom-emoji';
import { withCopyButtons, withEmoji, withNames, withNote } from './markdown/decorate';
import { completed, GrowingText } from './markdown/growing';
import { channelsIn, idOf, isInAddress, NO_MENTIONS } from './markdown/mentions';
import { isConfusable, isSafe } from './markdown/links';
import { makeParser, TOKENS_MOST } from './markdown/parser';
import { codeIn, hasCode, linkedMessages, render } from './markdown/render';
import { fieldsOf } from './message/data-fields';
import { withoutMarkup } from './message/message-preview';
import { initialsOf } from './names';
import { addressesIn } from './people/addresses';
import { isPhone } from './presence/labels';
import { asTyped, namesDays, replace, wordAt } from './search/filters';
import { score } from './switcher/match';
import { isOnlyEmoji } from './timeline/emoji-only';
import { plainText } from './worker/notification';

const MESSAGE = 16_000;
const QUERY = 256;
const NAME = 80;
const STREAM = 64_000;
const DATA = 8_192;

const naming = { ...NO_MENTIONS, people: 'aa:1', channels: '2 aa\n3 general\n4 a a', me: 1, emoji: 'aa=/api/emoji/1,party=/api/emoji/2' };
const markdown = makeParser(() => '');
const emoji = [{ emoji: '🍅', name: 'tomato', codes: ['tomato'], words: ['fruit'], group: 4, tones: {} }];

/** Render a message without the cache of rendered texts. */
function renderAnew(text: string): string {
  return render(text, { ...naming, me: Math.random() });
}

const selectAll = (text: string) => ({ text, start: 0, end: text.length });

/** Parse a stream that arrives 64 characters at a time. */
function push(text: string): void {
  const parser = new SseParser();
  for (let at = 0; at < text.length; at += 64) parser.push(text.slice(at, at + 64));
}

/** Grow a message 64 characters at a time. */
function grow(text: string): void {
  const growing = new GrowingText();
  for (let at = 0; at < text.length; at += 64) growing.update(text.slice(0, at), true);
}

/** Each function, with the length of the longest text that it can receive. */
const subjects: Record<string, [Run, number]> = {
  'app/appearance.ts limitMarks': [(text) => limitMarks(text, 'key'), MESSAGE],
  'app/appearance.ts lookKey': [lookKey, MESSAGE],
  'app/composer/completion.ts commandIn': [(text) => commandIn(`/a ${text}`), MESSAGE],
  'app/composer/completion.ts withoutEscape': [(text) => withoutEscape(`//${text}`), MESSAGE],
  'app/composer/completion.ts complete': [(text) => complete(text, { kind: 'person', start: 0, typed: 'a' }, '@ana'), MESSAGE],
  'app/composer/completion.ts tokenAt': [(text) => tokenAt(text, text.length), MESSAGE],
  'app/composer/formatting.ts asLink': [(text) => asLink(selectAll(text), text), MESSAGE],
  'app/composer/formatting.ts nextLine': [(text) => nextLine(text, text.length), MESSAGE],
  'app/composer/formatting.ts toggleLines': [(text) => toggleLines(selectAll(text), 'number'), MESSAGE],
  'app/composer/formatting.ts toggleMark': [(text) => toggleMark(selectAll(text), '**'), MESSAGE],
  'app/emoji/find.ts customNames': [customNames, MESSAGE],
  'app/emoji/find.ts findCustom': [(text) => findCustom([{ name: 'party' }], text, 9), QUERY],
  'app/emoji/find.ts nameOfFile': [nameOfFile, NAME],
  'app/emoji/find.ts splitSigns': [splitSigns, MESSAGE],
  'app/emoji/find.ts findEmoji': [(text) => findEmoji(emoji, text, 9), QUERY],
  'app/evidence/difference.ts differences': [(text) => differences(text, `${text}a`), MESSAGE],
  'app/markdown/custom-emoji.ts pictures': [pictures, MESSAGE],
  'app/markdown/decorate.ts withEmoji': [(text) => withEmoji(text, () => '/api/emoji/1'), MESSAGE],
  'app/markdown/decorate.ts withNames': [(text) => withNames(text, () => 'Ben'), MESSAGE],
  'app/markdown/decorate.ts withCopyButtons': [withCopyButtons, MESSAGE],
  'app/markdown/decorate.ts withNote': [(text) => withNote(text, text, text), MESSAGE],
  'app/markdown/growing.ts GrowingText.update': [grow, STREAM],
  'app/markdown/growing.ts completed': [completed, STREAM],
  'app/markdown/mentions.ts channelsIn': [(text) => channelsIn(text, [{ id: 2, name: 'aa' }]), MESSAGE],
  'app/markdown/mentions.ts idOf': [(text) => idOf(naming.people, text), MESSAGE],
  'app/markdown/mentions.ts isInAddress': [(text) => isInAddress(text, text.length - 1), MESSAGE],
  'app/markdown/links.ts isConfusable': [isConfusable, MESSAGE],
  'app/markdown/links.ts isSafe': [isSafe, MESSAGE],
  'app/markdown/parser.ts': [(text) => markdown.render(text, naming), MESSAGE],
  'app/markdown/render.ts codeIn': [codeIn, MESSAGE],
  'app/markdown/render.ts hasCode': [hasCode, MESSAGE],
  'app/markdown/render.ts linkedMessages': [(text) => linkedMessages(`http://a.b/c/1/2 ${text}`, 'http://a.b'), MESSAGE],
  'app/markdown/render.ts render': [renderAnew, MESSAGE],
  'app/message/data-fields.ts fieldsOf': [(text) => fieldsOf({ [text]: text }), DATA],
  'app/message/message-preview.ts withoutMarkup': [withoutMarkup, MESSAGE],
  'app/names.ts initialsOf': [initialsOf, NAME],
  'app/people/addresses.ts addressesIn': [addressesIn, MESSAGE],
  'app/presence/labels.ts isPhone': [isPhone, NAME],
  'app/search/filters.ts asTyped': [asTyped, MESSAGE],
  'app/search/filters.ts namesDays': [namesDays, MESSAGE],
  'app/search/filters.ts replace': [(text) => replace(text, wordAt(text, 0), { text: '', hint: '', insert: '' }), MESSAGE],
  'app/search/filters.ts wordAt': [(text) => wordAt(text, text.length), MESSAGE],
  'app/switcher/match.ts score': [(text) => score(text, text), MESSAGE],
  'app/timeline/emoji-only.ts isOnlyEmoji': [isOnlyEmoji, MESSAGE],
  'app/worker/notification.ts plainText': [plainText, MESSAGE],
  'client/cursor.ts compareCursors': [(text) => compareCursors(text, text), MESSAGE],
  'client/cursor.ts parseCursor': [parseCursor, MESSAGE],
  'client/cursor.ts Position.adoptEpoch': [(text) => new Position(text).adoptEpoch(text), MESSAGE],
  'client/cursor.ts Position.advance': [(text) => new Position(text).advance(text), MESSAGE],
  'client/message.ts codePoints': [codePoints, STREAM],
  'client/message.ts withoutFirst': [(text) => withoutFirst(text, text.length), STREAM],
  'client/element/text.ts piecesOf': [piecesOf, MESSAGE],
  'client/element/token.ts claimsOf': [(text) => claimsOf(`a.${text}.c`), MESSAGE],
  'client/sse.ts SseParser.push': [push, STREAM],
};

/** Functions of the text modules that are not in the table, with the reason. */
const exceptions: Record<string, string> = {
  'app/composer/everyone.ts asksFirst': 'runs namesMentioned',
  'app/conversation/member-groups.ts groupsOf': 'takes a function that names users',
  'app/events.ts eventName': 'looks up a name in a table',
  'app/evidence/story.ts deliverySteps': 'puts a name into a sentence',
  'app/evidence/story.ts verdictOf': 'puts a name into a sentence',
  'app/markdown/clean.ts clean': 'receives the output of the parser, and runs within render',
  'app/markdown/entities.ts decodeHTMLStrict': 'returns what it is given',
  'app/markdown/languages.ts paint': 'runs in a worker, within a time limit',
  'app/markdown/render.ts namesMentioned': 'walks the tokens of the parser',
  'app/markdown/render.ts renderOnce': 'runs within render',
  'app/markdown/render.ts plain': 'joins the tokens of the parser',
  'app/message/labels.ts reactionNames': 'takes a function that names users',
  'app/message/labels.ts seenLabel': 'takes a function that names users',
  'app/notify/mutes.ts mutedUntil': 'a time from the server',
  'app/presence/labels.ts ago': 'a time from the server',
  'app/worker/notification.ts notificationOf': 'takes the data of a push, whose text plainText shortens',
  'app/presence/labels.ts typingWords': 'puts names into a sentence',
  'app/sidebar/sections.ts NameOrder.ranksOf': 'takes a function that names conversations',
  'app/sidebar/sections.ts moved': 'compares ids of sections',
  'app/switcher/destinations.ts destinationsFor': 'runs score for each destination',
  'app/team/figures.ts barsOf': 'takes a function that counts channels',
  'app/team/figures.ts startOf': 'a day from the server',
  'app/time.ts dateOf': 'a time from the server',
  'app/time.ts dayName': 'a time from the server',
  'app/time.ts dayOf': 'a time from the server',
  'app/time.ts momentOf': 'a time from the server',
  'app/time.ts preciseOf': 'a time from the server',
  'app/time.ts timeOf': 'a time from the server',
  'app/worker/copies.ts keyOf': 'takes the URL of a request of the app',
  'app/worker/copies.ts surplus': 'takes URLs of this server',
  'client/cursor.ts Position.moveTo': 'stores what it is given',
  'client/sidebar.ts addSection': 'compares ids of sections, and stores names',
  'client/sidebar.ts changeSection': 'compares ids of sections, and stores names',
  'client/sidebar.ts moveSection': 'compares ids of sections, and stores names',
  'client/sidebar.ts place': 'compares ids of sections, and stores names',
  'client/sidebar.ts removeSection': 'compares ids of sections, and stores names',
};

test.each(Object.entries(subjects))('time grows linearly: %s', (_name, [run, most]) => {
  expect(findSlow(run, most)).toEqual([]);
}, 60_000);

test('a quadratic function is found', () => {
  const endless = (text: string) => text.search(/[._-]+$/);
  expect(findSlow(endless, MESSAGE / 4, cases.filter((one) => one.name === 'a mention with dots'))).toHaveLength(1);
}, 60_000);

test('no message renders more elements than a page can hold', () => {
  for (const one of cases) {
    const html = renderAnew(hostile(one, MESSAGE));
    expect(html.match(/<\w/g)?.length ?? 0, one.name).toBeLessThan(2 * TOKENS_MOST);
  }
}, 60_000);

test('every function of a text module that takes text is listed', () => {
  const found = new Set(textFunctions());
  const listed = [...Object.keys(subjects), ...Object.keys(exceptions)];
  expect([...found].filter((name) => !listed.includes(name))).toEqual([]);
  expect(Object.keys(exceptions).filter((name) => !found.has(name))).toEqual([]);
});

/** Yield `file name` for each exported function or method that takes a string, in modules whose comment says that they are pure. */
function* textFunctions(): Generator<string> {
  const web = `${import.meta.dirname}/../`;
  for (const folder of ['app', 'client'])
    for (const path of readdirSync(web + folder, { recursive: true, encoding: 'utf8' })) {
      const file = `${folder}/${path}`;
      if (!/(?<!\.test|\.d|growth)\.ts$/.test(file)) continue;
      const source = readFileSync(web + file, 'utf8');
      const isText = /\bPure\b/.test(source.slice(0, source.indexOf('*/'))) || file.startsWith('app/markdown/');
      if (isText) for (const name of exported(source)) yield `${file} ${name}`;
    }
}

function* exported(source: string): Generator<string> {
  for (const one of ts.createSourceFile('', source, ts.ScriptTarget.Latest).statements) {
    const modifiers = ts.canHaveModifiers(one) ? (ts.getModifiers(one) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue;
    if (ts.isFunctionDeclaration(one) && takesText(one, source)) yield one.name?.text ?? '';
    if (ts.isVariableStatement(one))
      for (const { name, initializer } of one.declarationList.declarations)
        if (initializer && ts.isArrowFunction(initializer) && takesText(initializer, source))
          yield (name as ts.Identifier).text;
    if (!ts.isClassDeclaration(one)) continue;
    for (const member of one.members)
      if (ts.isMethodDeclaration(member) && !isPrivate(member) && takesText(member, source))
        yield `${one.name?.text}.${(member.name as ts.Identifier).text}`;
  }
}

const isPrivate = (member: ts.MethodDeclaration) =>
  (ts.getModifiers(member) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);

const takesText = ({ parameters }: ts.SignatureDeclaration, source: string) =>
  parameters.some(({ type }) => type && /\bstring\b/.test(source.slice(type.pos, type.end)));
