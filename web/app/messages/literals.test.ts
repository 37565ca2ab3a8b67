/** Every text that a user can see or hear is in the catalog: components and modules hold none of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { type AST, parse } from 'svelte/compiler';
import ts from 'typescript';
import { expect, test } from 'vitest';

const APP = `${import.meta.dirname}/../`;

/** The folders whose texts are in the catalog; an empty name stands for the files at the top of the app. */
const FOLDERS = [
  '',
  'aside',
  'composer',
  'connection',
  'conversation',
  'dashboard',
  'details',
  'dialogs',
  'directory',
  'emoji',
  'evidence',
  'files',
  'imports',
  'keys',
  'markdown',
  'message',
  'moderation',
  'notify',
  'parts',
  'people',
  'presence',
  'reset',
  'search',
  'security',
  'settings',
  'sidebar',
  'switcher',
  'team',
  'timeline',
  'triage',
  'welcome',
];

/** Attributes and properties of components that hold text. */
const ATTRIBUTES = ['aria-label', 'title', 'placeholder', 'alt', 'label', 'text', 'hint'];

/** Parts of the syntax tree that hold code. */
const SKIPPED = ['expression', 'metadata', 'context', 'key', 'declaration', 'parameters', 'test'];

/** Names of keys and systems, which are no texts. */
const ALLOWED = ['Ctrl K', 'Mac OS'];

const hasLetters = (text: string) => /\p{L}/u.test(text);

/** Yield the literal texts of a component's markup: text nodes, attributes, and strings that an expression can result in. */
function literalsIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const one = node as AST.SvelteNode;
    if (one.type === 'Text') return void (hasLetters(one.data) && found.push(one.data.trim()));
    if (one.type === 'ExpressionTag') return void found.push(...results(one.expression).filter(hasLetters));
    if (one.type === 'Attribute') return ATTRIBUTES.includes(one.name) ? visit(one.value) : undefined;
    for (const [key, inner] of Object.entries(node)) if (!SKIPPED.includes(key)) visit(inner);
  };
  visit(parse(source, { modern: true }).fragment);
  return found;
}


/** Return the string literals that an expression can result in. Operands of comparisons and arguments are not among them. */
function results(expression: unknown): string[] {
  const node = expression as { type: string } & Record<string, unknown>;
  switch (node.type) {
    case 'Literal':
      return typeof node['value'] === 'string' ? [node['value']] : [];
    case 'TemplateLiteral':
      return [
        ...(node['quasis'] as { value: { raw: string } }[]).map(({ value }) => value.raw),
        ...(node['expressions'] as unknown[]).flatMap(results),
      ];
    case 'ConditionalExpression':
      return [...results(node['consequent']), ...results(node['alternate'])];
    case 'LogicalExpression':
      return [...results(node['left']), ...results(node['right'])];
    case 'BinaryExpression':
      return node['operator'] === '+' ? [...results(node['left']), ...results(node['right'])] : [];
    default:
      return [];
  }
}

/** Return the string literals of a script that read like a text: a capital letter, and a space or an ellipsis. */
function sentencesIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && /^\s*\p{Lu}\p{Ll}*( |’|'|…|\.$)/u.test(node.text) && !ALLOWED.includes(node.text)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('', source, ts.ScriptTarget.Latest));
  return found;
}

const scriptsOf = (source: string) =>
  [...source.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, script]) => script ?? '').join('\n');

function filesIn(extension: RegExp): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(APP + folder)
      .filter((name) => extension.test(name))
      .map((name) => (folder ? `${folder}/${name}` : name)),
  );
}

test('no component holds a text of its own', () => {
  const found = filesIn(/\.svelte$/).flatMap((file) => {
    const source = readFileSync(APP + file, 'utf8');
    return [...literalsIn(source), ...sentencesIn(scriptsOf(source))].map((text) => `${file}: ${text}`);
  });
  expect(found).toEqual([]);
}, 30_000);

test('no module holds a text of its own', () => {
  const found = filesIn(/(?<!\.test|growth)\.ts$/).flatMap((file) =>
    sentencesIn(readFileSync(APP + file, 'utf8')).map((text) => `${file}: ${text}`),
  );
  expect(found).toEqual([]);
}, 30_000);

/** Return the lines at which a module reads the texts while it is loaded: before the language is known. */
function readsWhileLoading(source: string): number[] {
  const file = ts.createSourceFile('', source, ts.ScriptTarget.Latest);
  const isCatalog = (node: ts.Statement) =>
    ts.isImportDeclaration(node) && /\/messages$/.test((node.moduleSpecifier as ts.StringLiteral).text);
  const names = file.statements.filter(isCatalog).flatMap((node) => [...node.getText(file).matchAll(/\bmessages(?: as (\w+))?/g)]);
  const [name] = names.map(([, other]) => other ?? 'messages');
  const found: number[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isPropertyDeclaration(node)) return;
    if (ts.isIdentifier(node) && node.text === name) found.push(file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test('no module reads the texts while it is loaded', () => {
  const found = filesIn(/(?<!\.test)(\.ts|\.svelte)$/).flatMap((file) => {
    const source = readFileSync(APP + file, 'utf8');
    const [, script = ''] = /<script[^>]*\bmodule\b[^>]*>([\s\S]*?)<\/script>/.exec(source) ?? [];
    return readsWhileLoading(file.endsWith('.svelte') ? script : source).map((line) => `${file}:${line}`);
  });
  expect(found).toEqual([]);
}, 30_000);

test('a text that is read too early is found', () => {
  const source = `import { messages as m } from '../messages';
const early = { name: m.app.name };
const late = () => m.app.name;
class Later { name = m.app.name }
type Words = typeof m.app;`;
  expect(readsWhileLoading(source)).toEqual([2]);
});

test('a text in a component is found', () => {
  const source = `<script lang="ts">
    const sentence = 'You are offline.';
  </script>
  <p title="Details" class="note">{open ? 'Close' : name || 'Unnamed'} <b>Muted</b></p>
  <Choice text={\`Mute \${name}\`} name="choice" /> {kind === 'channel'} {#if kind === 'group'}·{/if} @ 99+`;
  expect(literalsIn(source)).toEqual(['Details', 'Close', 'Unnamed', 'Muted', 'Mute ']);
  expect(sentencesIn(scriptsOf(source))).toEqual(['You are offline.']);
});
