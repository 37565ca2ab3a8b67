/** Text in pieces, of which some are links. Pure; the pieces become text nodes and anchors, never markup. */

export interface Piece {
  text: string;
  href?: string;
}

const OPENING: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
const LINK = /\bhttps?:\/\/[^\s<>"'`\u0000-\u001f]+/giu;

export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = withoutTrailing(match[0]);
    const href = safe(shown);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: shown, href });
    end = match.index + shown.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** Punctuation after a link belongs to the sentence; so does a closing bracket that the link did not open. */
function withoutTrailing(link: string): string {
  const count = new Map([...'()[]{}'].map((bracket) => [bracket, link.split(bracket).length - 1]));
  let end = link.length;
  for (; end > 0; end--) {
    const last = link[end - 1] ?? '';
    const opening = OPENING[last];
    if (!opening && !'.,;:!?…*_~'.includes(last)) break;
    if (!opening) continue;
    const closed = count.get(last) ?? 0;
    if (closed <= (count.get(opening) ?? 0)) break;
    count.set(last, closed - 1);
  }
  return link.slice(0, end);
}

/** The address if a browser understands it as one of the web, with a host and without a password in it. */
function safe(link: string): string | null {
  try {
    const url = new URL(link);
    return /^https?:$/.test(url.protocol) && url.host && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}

/** True for a few emoji and nothing else: they may stand large. */
export function isOnlyEmoji(text: string): boolean {
  return /^(?:\s*\p{RGI_Emoji}){1,6}\s*$/v.test(text);
}
