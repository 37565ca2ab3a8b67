/** The app is mirrored where lines run to the left: its styles name no side of the screen, and keys follow the text. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { align, startOf, stepOf, stepTo } from './direction';

const WEB = `${import.meta.dirname}/../`;

/** Declarations that name a side on purpose, with the reason. */
const ALLOWED = new Map([
  ['app/styles/text.css: text-align: right', 'the side that the author of a table chose for a column'],
]);

const SIDE = /(^|-)(left|right)(-|$)/;
const SIDES = /^(margin|padding|inset|border-width|border-color|border-style|border-radius|scroll-(margin|padding))$/;

/** Return the parts of a value that spaces divide, outside of parentheses. */
function partsOf(value: string): string[] {
  let flat = value;
  for (let before = ''; before !== flat; ) [before, flat] = [flat, flat.replace(/\(([^()]*)\)/g, (_, inner: string) => `<${inner.replace(/\s/g, '')}>`)];
  return flat.trim().split(/\s+/);
}

/** Return true if a declaration names the left or right side, or treats the two in different ways. */
function namesSide(property: string, value: string): boolean {
  if (SIDE.test(property) || /\btranslateX\b|\bto (left|right)\b/.test(value)) return true;
  if (/^(text-align|float|clear|justify-content|transform-origin)$/.test(property)) return /\b(left|right)\b/.test(value);
  if (/^(transform|rotate)$/.test(property)) return /(^|\()-?90deg/.test(value);
  if (property === 'box-shadow') return /^(inset )?-?[1-9]/.test(value);
  if (!SIDES.test(property)) return false;
  const [a, b, c, d] = partsOf(value);
  return property === 'border-radius' ? (b !== undefined && a !== b) || (d !== undefined && c !== d) : d !== undefined && b !== d;
}

/** Yield the declarations of a style sheet that name a side. */
function sidesIn(css: string): string[] {
  const found = [...css.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/(?<=[{;]\s*)([a-z-]+):\s*([^;{}]+)(?=[;}])/g)];
  return found.filter(([, property = '', value = '']) => namesSide(property, value)).map(([, property, value]) => `${property}: ${value?.trim()}`);
}

/** Return the style sheets of the app, of its components and of the element for other pages. */
function sheets(): [file: string, css: string][] {
  return ['app', 'client/element', 'public'].flatMap((folder) =>
    readdirSync(WEB + folder, { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((file) => /\.(svelte|css)$|styles\.ts$/.test(file))
      .map((file): [string, string] => {
        const source = readFileSync(WEB + file, 'utf8');
        return [file, file.endsWith('.svelte') ? [...source.matchAll(/<style>([\s\S]*)<\/style>/g)].map(([, css]) => css).join('\n') : source];
      }),
  );
}

test('no style names a side of the screen', () => {
  const found = sheets().flatMap(([file, css]) => sidesIn(css).map((one) => `${file}: ${one}`));
  expect(found.filter((one) => !ALLOWED.has(one))).toEqual([]);
  expect([...ALLOWED.keys()].filter((one) => !found.includes(one))).toEqual([]);
});

test('a style that names a side is found', () => {
  const css = `a { margin-left: 1px; left: 50%; text-align: right; inset: 1px 2px auto auto; padding: 0 var(--a) max(1px, 2px) 3px }
    b { transform: translateX(-50%); border-top-left-radius: 3px; box-shadow: inset 3px 0 red; rotate: -90deg; border-radius: 9px 9px 0 0 }
    i { padding: 0 max(1px, 2px) 1px max(1px, 2px); margin-inline-start: 1px; text-align: start; box-shadow: 0 1px 2px red; inset: 0 }`;
  expect(sidesIn(css).map((one) => one.split(':')[0])).toEqual([
    'margin-left', 'left', 'text-align', 'inset', 'padding', 'transform', 'border-top-left-radius', 'box-shadow', 'rotate',
  ]);
});

/** Set the direction of the page, which is 1,000 pixels wide. */
function page(dir: 'ltr' | 'rtl'): void {
  Object.assign(globalThis, { document: { dir }, innerWidth: 1_000, DOMRect: Box });
}

class Box {
  constructor(readonly left: number, readonly top: number, readonly width: number, readonly height: number) {}
  get right(): number {
    return this.left + this.width;
  }
}

afterEach(() => {
  for (const name of ['document', 'innerWidth', 'DOMRect']) Reflect.deleteProperty(globalThis, name);
});

test('arrow keys and swipes follow the text', () => {
  page('ltr');
  expect(['ArrowRight', 'ArrowLeft', 'ArrowUp'].map(stepOf)).toEqual([1, -1, undefined]);
  expect([stepTo(80), stepTo(-80)]).toEqual([1, -1]);
  page('rtl');
  expect(['ArrowRight', 'ArrowLeft', 'ArrowUp'].map(stepOf)).toEqual([-1, 1, undefined]);
  expect([stepTo(80), stepTo(-80)]).toEqual([-1, 1]);
});

test('a panel is aligned with the start or the end of its button, and stays in the window', () => {
  const placed = (button: Box, side: 'start' | 'end') => {
    const panel = { offsetWidth: 200, style: { left: '' } };
    align(panel as unknown as HTMLElement, button as unknown as DOMRect, side);
    return panel.style.left;
  };
  const middle = new Box(400, 0, 40, 40);
  page('ltr');
  expect([placed(middle, 'start'), placed(middle, 'end')]).toEqual(['400px', '240px']);
  expect([placed(new Box(0, 0, 40, 40), 'end'), placed(new Box(960, 0, 40, 40), 'start')]).toEqual(['4px', '796px']);
  expect(startOf(middle as unknown as DOMRect, 8).left).toBe(408);
  page('rtl');
  expect([placed(middle, 'start'), placed(middle, 'end')]).toEqual(['240px', '400px']);
  expect([placed(new Box(960, 0, 40, 40), 'end'), placed(new Box(0, 0, 40, 40), 'start')]).toEqual(['796px', '4px']);
  expect(startOf(middle as unknown as DOMRect, 8).left).toBe(432);
});
