/** Which links a message may hold, and how they open. Pure. */
import type { MarkdownIt, Token } from 'markdown-it';

/** An address of the web with a host and without a password in it, or one to write to. */
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

/** In this app where it leads into it; elsewhere in a page that knows nothing of this one. */
function open(token: Token, origin: string): void {
  const href = String(token.attrGet('href') ?? '');
  if (origin && href.startsWith(`${origin}/c/`)) return token.attrSet('href', href.slice(origin.length));
  token.attrSet('target', '_blank');
  token.attrSet('rel', 'noopener noreferrer nofollow ugc');
  // what a link is called may not be where it leads
  if (token.info !== 'auto') token.attrSet('title', href);
}
