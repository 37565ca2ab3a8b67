// @vitest-environment jsdom
/** Rendering messages: readable, and harmless whatever their author wrote. */
import { expect, test } from 'vitest';
import { channelsIn, idOf, type Mentions, NO_MENTIONS } from './mentions';
import { paint } from './languages';
import payloads from './payloads.json';
import { codeIn, hasCode, render } from './render';

const html = (text: string, mentions: Partial<Mentions> = {}) => render(text, { ...NO_MENTIONS, ...mentions }).trim();
const dom = (text: string, mentions: Partial<Mentions> = {}): HTMLElement => {
  const box = document.createElement('div');
  box.innerHTML = html(text, mentions);
  return box;
};

test('emphasis, code, lists, quotes and tables are shown as such', () => {
  expect(html('**bold** *soft* ~~gone~~ `code`')).toBe(
    '<p dir="auto"><strong>bold</strong> <em>soft</em> <s>gone</s> <code>code</code></p>',
  );
  expect(dom('- a\n- b').querySelectorAll('li')).toHaveLength(2);
  expect(dom('> quoted').querySelector('blockquote')?.textContent?.trim()).toBe('quoted');
  expect(dom('| a |\n|--:|\n| b |').querySelector('td')?.outerHTML).toBe('<td dir="auto" class="right">b</td>');
});

test('line breaks and all typed characters are kept', () => {
  expect(dom('one\ntwo').textContent?.trim()).toBe('one\ntwo');
  expect(dom('a &amp; b &lt;tag&gt; <b>not bold</b>').textContent?.trim()).toBe(
    'a &amp; b &lt;tag&gt; <b>not bold</b>',
  );
  expect(dom('title\n---').querySelector('h2')).toBeNull();
  expect(dom('    indented').querySelector('pre')).toBeNull();
});

test('links are found, open in a new tab, and show their address', () => {
  const plain = dom('see https://example.org/a_b_c?d=1).').querySelector('a');
  expect([plain?.getAttribute('href'), plain?.rel, plain?.target]).toEqual([
    'https://example.org/a_b_c?d=1',
    'noopener noreferrer nofollow ugc',
    '_blank',
  ]);
  expect(dom('[bank](https://evil.example)').querySelector('a')?.title).toBe('https://evil.example');
  expect(dom('example.org and ana@example.org').querySelector('a')).toBeNull();
  const inside = dom(`look at ${location.origin}/c/12/340`).querySelector('a');
  expect([inside?.getAttribute('href'), inside?.target]).toEqual(['/c/12/340', '']);
});

test('a picture from another site is not shown', () => {
  expect(dom('![x](https://evil.example/pixel.png)').querySelector('img')).toBeNull();
});

test('mentioned users are highlighted, other names are not', () => {
  const mentions = { people: 'ana:1,ben.b:2', me: 1 };
  const calls = (text: string, more: Partial<Mentions> = {}) =>
    [...dom(text, { ...mentions, ...more }).querySelectorAll('.call')].map((one) => [
      one.textContent,
      one.getAttribute('data-user'),
      one.classList.contains('mine'),
    ]);
  expect(calls('hi @ana, @Ben.b. and @chloe')).toEqual([
    ['@ana', '1', true],
    ['@Ben.b', '2', false],
  ]);
  expect(calls('`@ana` mail@ana https://x.example/@ana @@ana é@ana')).toEqual([]);
  expect(calls('**@ana**')).toEqual([['@ana', '1', true]]);
  expect(calls('@here @channel', { all: 'here' })).toEqual([['@here', null, true]]);
});

test('channels that the reader has joined are links', () => {
  const channels = channelsIn('see #design-talk and #nowhere', [
    { id: 4, name: 'design-talk' },
    { id: 5, name: 'other' },
  ]);
  expect(channels).toBe('design-talk:4');
  const link = dom('see #design-talk.', { channels }).querySelector('a');
  expect([link?.textContent, link?.getAttribute('href')]).toEqual(['#design-talk', '/c/4']);
});

test('code in known languages is highlighted', () => {
  expect(hasCode('```python\nprint(1)\n```')).toBe(true);
  expect(hasCode('```\nplain\n```')).toBe(false);
  const text = '```python\nif True: print("<b>")\n```';
  expect(render(text, NO_MENTIONS, paint)).toContain('<span class="hljs-keyword">if</span>');
  expect(render(text, NO_MENTIONS, paint)).toContain('&lt;b&gt;');
  expect(render('```klingon\nqapla\n```', NO_MENTIONS, paint)).toContain('qapla');
});

test('long code and code without a language is not highlighted', () => {
  const block = (code: string, language = 'python') => `\`\`\`${language}\n${code}\n\`\`\`\n`;
  expect(codeIn(`${block('a = 1')}\n${block('x', '')}`)).toEqual([{ code: 'a = 1\n', language: 'python' }]);
  expect(codeIn(block('a'.repeat(3_000)))).toEqual([]);
  expect(codeIn(block('a = 1').repeat(50)).length).toBe(8);
});

test('a message with too many tokens is shown as it was typed', () => {
  const box = dom(`**a**\n${'<b>|'.repeat(3_000)}\n${'*a* '.repeat(1_500)}`);
  expect(box.querySelector('strong, em, b, td')).toBeNull();
  expect(box.textContent?.startsWith('**a**\n<b>|<b>|')).toBe(true);
  expect(dom('- a\n'.repeat(400)).querySelectorAll('li')).toHaveLength(400);
});

test('names are found among long runs of punctuation', () => {
  expect(idOf('ben:2', `ben${'.'.repeat(9_000)}`)).toEqual({ id: 2, name: 'ben' });
  expect(idOf('ben:2,ben.:3', 'ben...')).toEqual({ id: 3, name: 'ben.' });
  expect(idOf('ben:2', 'benjamin')).toBeNull();
  expect(channelsIn(`#${'-'.repeat(9_000)} #Talk. (#a-b-)`, [
    { id: 1, name: 'talk' },
    { id: 2, name: 'a-b' },
    { id: 3, name: null },
  ])).toBe('talk:1,a-b:2');
});

test.each(payloads)('nothing runs: %s', (payload) => {
  for (const text of [payload, `**${payload}**`, `> ${payload}`, `[${payload}](https://good.example)`]) {
    const box = document.createElement('div');
    box.innerHTML = render(text, { ...NO_MENTIONS, people: 'ana:1', channels: 'general:2' }, paint);
    for (const element of box.querySelectorAll('*')) {
      expect(element.tagName).not.toMatch(/^(SCRIPT|IMG|SVG|IFRAME|STYLE|LINK|META|BASE|OBJECT|EMBED|FORM|INPUT|MATH)$/i);
      for (const { name, value } of element.attributes) {
        expect(name).toMatch(/^(href|target|rel|title|class|dir|start|type|tabindex|data-user)$/);
        if (name === 'href') expect(value).toMatch(/^(https?:\/\/(?![^/]*@)|mailto:|\/c\/\d)/);
      }
    }
  }
});
