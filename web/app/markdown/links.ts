/** Links in messages: the allowed addresses, and how links open. Pure. */
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
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  md.core.ruler.push('links', ({ tokens, env }) => {
    for (const token of tokens)
      for (const child of token.children ?? [])
        if (child.type === 'link_open') open(child, (env as { origin?: string }).origin ?? '');
  });
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
