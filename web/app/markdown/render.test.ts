// @vitest-environment jsdom
/** Rendering messages: readable, and harmless whatever their author wrote. */
import { expect, test } from 'vitest';
import { channelsIn, idOf, type Mentions, NO_MENTIONS } from './mentions';
import { paint } from './languages';
import mentioning from '../../../tests/cases/mentions.json';
import payloads from './payloads.json';
import { codeIn, hasCode, linkedMessages, namesMentioned, render } from './render';

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

test('mentioned groups are highlighted for their members, after users of the same name', () => {
  const mentions = { people: 'ana:1', groups: 'design:3,kitchen:4,ana:5', ours: '4', me: 1 };
  const calls = (text: string) =>
    [...dom(text, mentions).querySelectorAll('.call')].map((one) => [one.textContent, one.getAttribute('data-group'), one.className]);
  expect(calls('ask @Design. and @kitchen, @ana')).toEqual([
    ['@Design', '3', 'call'],
    ['@kitchen', '4', 'call mine'],
    ['@ana', null, 'call mine'],
  ]);
  expect(calls('`@design` @designs x@design > @design')).toEqual([['@design', '3', 'call']]);
});

const CHANNELS = ['design-talk', 'other', 'team', 'team x', 'हिन्दी', 'café', 'r&d', 'c++', 'a/b', '🚀 launch', 'ΟΔΟΣ', 'general 2', 'a.b', 'カメラ'];
const channels = CHANNELS.map((name, n) => ({ id: n + 1, name }));

/** Return what the text of each link to a channel is, with the name of the channel. */
function channelLinks(text: string): [string, string][] {
  const links = dom(text, { channels: channelsIn(text, channels) }).querySelectorAll<HTMLAnchorElement>('a.call');
  return [...links].map((link) => [link.textContent, CHANNELS[Number(link.getAttribute('href')?.slice(3)) - 1] ?? '']);
}

test.each([
  ['see #design-talk.', [['#design-talk', 'design-talk']]],
  ['#team x, where there is such a channel', [['#team x', 'team x']]],
  ['#team xylophone and #teams', [['#team', 'team']]],
  ['(#TEAM  X) and **#Team**', [['#TEAM  X', 'team x'], ['#Team', 'team']]],
  ['#team\nx', [['#team', 'team']]],
  ['#हिन्दी, #हिन्दीx', [['#हिन्दी', 'हिन्दी']]],
  ['#cafe\u0301 and #caf\u00e9', [['#cafe\u0301', 'café'], ['#caf\u00e9', 'café']]],
  ['#R&D #c++ #a/b', [['#R&D', 'r&d'], ['#c++', 'c++'], ['#a/b', 'a/b']]],
  ['#🚀 launch!', [['#🚀 launch', '🚀 launch']]],
  ['#οδος #te\u00adam', [['#οδος', 'ΟΔΟΣ'], ['#te\u00adam', 'team']]],
  ['#ｶﾒﾗ #\uff43\uff41\uff46\u00e9', [['#ｶﾒﾗ', 'カメラ'], ['#\uff43\uff41\uff46\u00e9', 'café']]],
  ['#general and #general 2', [['#general 2', 'general 2']]],
  ['#a.b. #a.bc #nowhere a#team &#team ##team `#team` \\#team', [['#a.b', 'a.b']]],
] as [string, [string, string][]][])('channels by the name as the reader sees it: %s', (text, links) => {
  expect(channelLinks(text)).toEqual(links);
});

test('code in known languages is highlighted', () => {
  expect(hasCode('```python\nprint(1)\n```')).toBe(true);
  expect(hasCode('```\nplain\n```')).toBe(false);
  const text = '```python\nif True: print("<b>")\n```';
  expect(render(text, NO_MENTIONS, paint)).toContain('<span class="hljs-keyword">if</span>');
  expect(render(text, NO_MENTIONS, paint)).toContain('&lt;b&gt;');
  expect(render('```klingon\nqapla\n```', NO_MENTIONS, paint)).toContain('qapla');
  expect(dom('```klingon\nqapla\n```').querySelector('pre')?.title).toBe('klingon');
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
  expect(idOf('ben:2,ben.:3', 'ben.')).toEqual({ id: 2, name: 'ben' });
  expect(idOf('ben:2', 'benjamin')).toBeNull();
  expect(channelsIn(`#${'-'.repeat(9_000)} #Talk. (#a-b-)`, [
    { id: 1, name: 'talk' },
    { id: 2, name: 'a-b' },
    { id: 3, name: null },
  ])).toBe('1 talk\n2 a-b');
});

test.each([
  ['5. no\n7. yes', '5. no 7. yes'],
  ['2024. was good\n1986. too', '2024. was good 1986. too'],
  ['007. bond\n3) x', '007. bond 3) x'],
  ['> 5. no\n> 7. yes', '5. no 7. yes'],
  ['1. ```\n   code\n   ```', '1. code'],
  ['+ cheap\n- slow', '+ cheap - slow'],
  ['¯\\_(ツ)_/¯', '¯\\_(ツ)_/¯'],
  ['\\\\server\\_share\\*', '\\\\server\\_share\\*'],
  ['\\(^_^)/ \\o/ C:\\*.log ^\\d+\\.\\d*$', '\\(^_^)/ \\o/ C:\\*.log ^\\d+\\.\\d*$'],
  ['curl \\\n  -d x', 'curl \\ -d x'],
  ['costs \\$5\\, or \\{more\\}', 'costs \\$5\\, or \\{more\\}'],
  ['\\[x\\]', '\\[x\\]'],
  ['__init__.py and __all__', '__init__.py and __all__'],
  ['2*3*4 = 24, 2**10**2', '2*3*4 = 24, 2**10**2'],
  ['#', '#'],
  ['-', '-'],
  ['1.', '1.'],
  ['>', '>'],
  ['```', '```'],
  ['```SELECT 1;\nSELECT 2;\n```', 'SELECT 1; SELECT 2;'],
  ['| a |\n|---|\n| b | c |', 'a | b | c |'],
  ['[](https://x.example)', 'https://x.example'],
])('nothing that was typed disappears: %s', (text, shown) => {
  expect(dom(text).textContent?.replace(/\s+/g, ' ').trim()).toBe(shown);
});

test.each([
  ['\\*not bold\\*', '*not bold*'],
  ['snake\\_case \\`x\\`', 'snake_case `x`'],
  ['\\# no title\n1\\. no list\n\\- none', '# no title\n1. no list\n- none'],
  ['\\[no\\](https://x.example)', '[no](https://x.example)'],
  ['a\\\\*b', 'a\\*b'],
  ['[a\\\\b \\{c\\} C:\\d](<https://x.example>)', 'a\\b {c} C:\\d'],
])('a backslash that takes a meaning away is not shown: %s', (text, shown) => {
  expect(dom(text).textContent?.trim()).toBe(shown);
  expect(dom(text).querySelector('em, strong, code, h1, li')).toBeNull();
});

test.each([
  ['> shall we close on friday?\nno, monday is better', 'blockquote'],
  ['> > a\n> b\nno, monday is better', 'blockquote'],
  ['> - a\nno, monday is better', 'blockquote'],
  ['1. eggs\n2. milk\nno, monday is better', 'ol'],
  ['- eggs\nno, monday is better', 'ul'],
  ['| a |\n|---|\n| b |\nno, monday is better', 'table'],
])('the line after a quote, a list or a table stands outside: %s', (text, block) => {
  const [first, last] = dom(text).children;
  expect([first?.localName, last?.outerHTML]).toEqual([block, '<p dir="auto">no, monday is better</p>']);
});

test('numbers are those that were typed, also for a screen reader', () => {
  expect([...dom('5. no\n7. yes').querySelectorAll('li')].map((item) => item.value)).toEqual([5, 7]);
  expect([...dom('- a\n  - b\n    1. c').querySelectorAll('li > ul > li > ol > li')]).toHaveLength(1);
});

test('line breaks and indented lines are kept, in lists too', () => {
  expect(dom('a\n    b').textContent?.trim()).toBe('a\n    b');
  expect(dom('- a\n  b').querySelector('li')?.innerHTML).toBe('a<br>b');
});

test('a style within a style is kept', () => {
  expect(html('~~_**`code`**_~~')).toBe('<p dir="auto"><s><em><strong><code>code</code></strong></em></s></p>');
  expect(html('**N**ot 中文*强调*中文')).toContain('<strong>N</strong>ot 中文<em>强调</em>中文');
});

test.each([
  ['see https://e.example/x: it works', ['https://e.example/x']],
  ['**https://e.example/x** ~~https://e.example/y~~', ['https://e.example/x', 'https://e.example/y']],
  ['https://deploy@git.example/repo.git', []],
  ['https://deploy:secret@git.example/r and https://a:(b@c.example', []],
  ['http://xn--80ak6aa92e.com/', ['http://xn--80ak6aa92e.com/']],
  ['http://\u0430\u0440\u0440\u04cf\u0435.com/', ['http://xn--80ak6aa92e.com/']],
  ['http://p\u0430ypal.com/', ['http://xn--pypal-4ve.com/']],
  ['https://münchen.de/ä%20b https://日本語.jp', ['https://münchen.de/ä%20b', 'https://日本語.jp']],
  ['https://почта.рф/ https://сор.рф https://москва.example', ['https://почта.рф/', 'https://сор.рф', 'https://москва.example']],
  ['ftp://x.example //y.example', []],
])('addresses are shown as typed, or as what they are: %s', (text, shown) => {
  expect([...dom(text).querySelectorAll('a')].map((link) => link.textContent)).toEqual(shown);
});

test.each(mentioning.cases)('names are parsed as on the server: $text', ({ text, calls }) => {
  const people = mentioning.users.map((name, n) => `${name}:${n + 1}`).join();
  const all = ['channel', 'here'].find((name) => calls.includes(name)) ?? '';
  const found = [...dom(text, { people, all }).querySelectorAll('.call')].filter((call) => !call.closest('blockquote'));
  expect(new Set(found.map((call) => call.textContent.slice(1).toLowerCase()))).toEqual(new Set(calls));
});

test('names that a text calls are found, but not those in code and quotes', () => {
  expect([...namesMentioned('@Ana, _@ben_ and `@chloe`\n> @dora\n\nmail@eve \\@frank')]).toEqual(['ana', 'ben']);
  const calls = dom('> @ana\n\n@ana', { people: 'ana:1', me: 1 }).querySelectorAll('.call');
  expect([...calls].map((call) => call.className)).toEqual(['call', 'call mine']);
});

test.each(payloads)('nothing runs: %s', (payload) => {
  for (const text of [payload, `**${payload}**`, `> ${payload}`, `[${payload}](https://good.example)`]) {
    const box = document.createElement('div');
    box.innerHTML = render(text, { ...NO_MENTIONS, people: 'ana:1', channels: 'general:2', groups: 'design:3' }, paint);
    for (const element of box.querySelectorAll('*')) {
      expect(element.tagName).not.toMatch(/^(SCRIPT|IMG|SVG|IFRAME|STYLE|LINK|META|BASE|OBJECT|EMBED|FORM|INPUT|MATH)$/i);
      for (const { name, value } of element.attributes) {
        expect(name).toMatch(/^(href|target|rel|title|class|dir|start|value|type|tabindex|data-user|data-group)$/);
        if (name === 'href') expect(value).toMatch(/^(https?:\/\/(?![^/]*@)|mailto:|\/c\/\d)/);
      }
    }
  }
});

test('linked messages are those of this server, outside of code, each once and at most three', () => {
  const origin = 'https://chat.example';
  const link = (place: string) => `${origin}/c/${place}`;
  expect(linkedMessages(`see ${link('12/340')}, [here](${link('12/341')}) and ${link('12/340')}.`, origin)).toEqual([[12, 340], [12, 341]]);
  expect(linkedMessages(`\`${link('1/2')}\`\n\n\`\`\`\n${link('1/3')}\n\`\`\`\n`, origin)).toEqual([]);
  expect(linkedMessages(`https://other.example/c/1/2 ${link('12')} ${link('12/thread/5')} ${link('0/1')} ${link('1/2x')}`, origin)).toEqual([]);
  expect(linkedMessages([1, 2, 3, 4].map((seq) => link(`1/${seq}`)).join(' '), origin)).toHaveLength(3);
});

test('custom emoji that exist are marked, outside of code and addresses', () => {
  const emoji = 'party-parrot=/api/emoji/1,30=/api/emoji/2';
  const marked = (text: string) => [...dom(text, { emoji }).querySelectorAll('[data-emoji]')].map((one) => one.textContent);
  expect(marked('hello:party-parrot: **:party-parrot::party-parrot:**')).toEqual(Array(3).fill(':party-parrot:'));
  expect(marked('- :party-parrot:\n\n> [:party-parrot:](https://example.org)')).toEqual(Array(2).fill(':party-parrot:'));
  expect(marked('`:party-parrot:`\n```\n:party-parrot:\n```')).toEqual([]);
  expect(marked('https://example.org/:party-parrot:/ at 10:30:45, :other: :Party-parrot:')).toEqual([]);
  expect(marked(':30:')).toEqual([':30:']);
  expect(html(':party-parrot:')).toBe('<p dir="auto">:party-parrot:</p>');
});
