// @vitest-environment jsdom
/** What the app adds to rendered text. */
import { expect, test } from 'vitest';
import { withCopyButtons, withEmoji, withNames, withNote } from './decorate';
import { NO_MENTIONS } from './mentions';
import { render } from './render';

const dom = (html: string): HTMLElement => {
  const box = document.createElement('div');
  box.innerHTML = html;
  return box;
};
const html = (text: string) => render(text, { ...NO_MENTIONS, people: 'ben:7', me: 1 });

test('a mention shows the name that the user chose, and its username in the title', () => {
  const button = dom(withNames(html('hi @ben, `@ben`'), () => 'Ben <b>Okafor</b>')).querySelector('button');
  expect([button?.textContent, button?.title, button?.dataset['user']]).toEqual(['@Ben <b>Okafor</b>', '@ben', '7']);
  expect(dom(withNames(html('hi @ben'), () => '')).querySelector('button')?.textContent).toBe('@ben');
});

test('a text that looks like a mention in code is left alone', () => {
  const typed = '<button data-user="7">@ben</button>';
  expect(dom(withNames(html(`\`${typed}\``), () => 'Mallory')).textContent?.trim()).toBe(typed);
});

test('each block of code has a button that copies it, and text without code has none', () => {
  const box = dom(withCopyButtons(html('a\n```js\n1 < 2\n```\n```\n<pre>\n```')));
  expect([...box.querySelectorAll('.block > [data-copy] + pre')].map((pre) => pre.textContent)).toEqual(['1 < 2\n', '<pre>\n']);
  expect(withCopyButtons(html('a `b`'))).toBe(html('a `b`'));
});

test('the note of an edit stands in the last line', () => {
  expect(dom(withNote(html('one\n\ntwo'), '(edited)', 'Edited today')).lastElementChild?.textContent).toBe('two (edited)');
  expect(dom(withNote(html('- one'), '(edited)', '"')).lastElementChild?.outerHTML).toBe(
    '<p><small class="edited" title="&quot;">(edited)</small></p>',
  );
});

test('a custom emoji becomes a picture with its text, unless it was removed', () => {
  const shown = render('<b> :party: :gone:', { ...NO_MENTIONS, emoji: 'party=/api/emoji/1?still=1,gone=/api/emoji/2' });
  const text = withEmoji(shown, (name) => (name === 'party' ? '/api/emoji/1?still=1' : ''));
  expect(text).toContain('&lt;b&gt; <img class="custom-emoji" src="/api/emoji/1?still=1" alt=":party:" title=":party:" draggable="false"> ');
  expect(text).toContain('>:gone:</span>');
});
