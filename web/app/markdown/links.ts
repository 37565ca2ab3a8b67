/** Links in messages: the allowed addresses, how they are shown, and how they open. Pure. */
import type { MarkdownIt, Token } from 'markdown-it';

/** Return true for a `mailto:` address, and for an `http` or `https` address with a host and without credentials. */
export function isSafe(href: string): boolean {
  try {
    const url = new URL(href);
    if (url.protocol === 'mailto:') return true;
    return /^https?:$/.test(url.protocol) && url.host !== '' && !url.username && !url.password;
  } catch {
    return false;
  }
}

export function links(md: MarkdownIt): void {
  md.validateLink = isSafe;
  md.normalizeLinkText = (address) => (isConfusable(hostOf(address)) ? md.normalizeLink(address) : address);
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false, urlAuth: true });
  for (const scheme of ['ftp:', '//']) md.linkify.add(scheme, null);
  for (const scheme of ['http:', 'https:'])
    md.linkify.add(scheme, {
      validate(text, at, { re }) {
        const pattern = re.get_http_validator();
        pattern.lastIndex = at;
        return lengthOf(pattern.exec(text)?.[0] ?? '', text, at);
      },
    });
  md.core.ruler.push('links', ({ tokens, env, Token }) => {
    for (const { children } of tokens)
      for (let at = (children?.length ?? 0) - 1; at >= 0; at--) {
        const child = children?.[at];
        if (child?.type !== 'link_open') continue;
        if (children?.[at + 1]?.type === 'link_close') children.splice(at + 1, 0, nameFor(child, new Token('text', '', 0)));
        open(child, (env as { origin?: string }).origin ?? '');
      }
  });
}

/**
 * Return the length of an address without the signs after it that belong to the sentence. Return 0 for an address with a
 * part before an `@` that was not recognized as such: a link to the rest would lead elsewhere.
 */
function lengthOf(found: string, text: string, at: number): number {
  let end = found.length;
  while (end > 0 && ':*~'.includes(found[end - 1] as string)) end--;
  const isHost = !/[/?#]/.test(found.slice(2));
  return isHost && /^[^\s/?#]*@/.test(text.slice(at + found.length, at + found.length + 200)) ? 0 : end;
}

const hostOf = (address: string) => /^https?:\/\/(?:[^/?#]*@)?([^/?#:]*)/i.exec(address)?.[1] ?? '';

/** Letters of other scripts that look like Latin ones, as browsers know them. */
const LATIN_LOOKS = /^[-\dаԁеһіјӏорсԛѕԝхуҽпгѵѡъαικνρυωηοτագզէլհյոսւօ]+$/u;
const NOT_MIXED = ['Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Hebrew', 'Arabic', 'Thai', 'Devanagari', 'Georgian'];
const OTHER_SCRIPTS = NOT_MIXED.map((script) => new RegExp(`\\p{Script=${script}}`, 'u'));

/**
 * Return true for a host with a name in two scripts, or in letters that all look like Latin ones. The latter is normal
 * below a national domain such as `.рф`.
 */
export function isConfusable(host: string): boolean {
  const national = /[^\x20-\x7e]$/.test(host);
  return host.toLowerCase().split('.').some((label) => {
    if (/^[\x20-\x7e]*$/.test(label)) return false;
    const others = OTHER_SCRIPTS.filter((script) => script.test(label)).length;
    return others > 1 || (others === 1 && (/\p{Script=Latin}/u.test(label) || (!national && LATIN_LOOKS.test(label))));
  });
}

/** Return the address as the text of a link that has none. */
function nameFor(link: Token, text: Token): Token {
  return Object.assign(text, { content: String(link.attrGet('href') ?? '') });
}

/** Open links to conversations in the app; open others in a new tab that cannot access this page. */
function open(token: Token, origin: string): void {
  const href = String(token.attrGet('href') ?? '');
  if (origin && href.startsWith(`${origin}/c/`)) return token.attrSet('href', href.slice(origin.length));
  token.attrSet('target', '_blank');
  token.attrSet('rel', 'noopener noreferrer nofollow ugc');
  // the text of a link may differ from its address: the title shows the address
  if (token.info !== 'auto') token.attrSet('title', href);
}
