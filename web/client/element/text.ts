/** The text of a message in pieces: plain text, and links. Pure, in linear time. */

export type Piece = string | { text: string; href: string };

/** Signs after an address that belong to the sentence around it. */
const SENTENCE_END = '.,:;!?\'"*_~)]}>';

/** Split a text at its `http` and `https` addresses. */
export function piecesOf(body: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of body.matchAll(/https?:\/\/[^\s<>"`]+/gi)) {
    const text = withoutSentenceEnd(found[0]);
    const href = addressOf(text);
    if (href === null) continue;
    if (found.index > at) pieces.push(body.slice(at, found.index));
    // a host in letters that look like others shows as the browser writes it
    pieces.push({ text: /^[\x20-\x7e]*$/.test(text) ? text : href, href });
    at = found.index + text.length;
  }
  if (at < body.length) pieces.push(body.slice(at));
  return pieces;
}

function withoutSentenceEnd(address: string): string {
  let end = address.length;
  while (SENTENCE_END.includes(address[end - 1] ?? ' ')) end--;
  return address.slice(0, end);
}

/** Return the address as browsers write it; null for one without a host, or with a name or password in it. */
function addressOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && url.host && !url.username && !url.password ? url.href : null;
}
