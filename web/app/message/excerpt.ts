/** A message in one line, without the signs of its markup. Pure; time does not grow with what is not shown. */
const MOST = 140;
/** As much of a message is read, for the signs of markup are left out. */
const READ = 2_000;

export function excerpt(body: string): string {
  const plain = body
    .slice(0, READ)
    .replace(/```[^\n]*\n?/g, ' ')
    .replace(/^(?=[ :-]*\|)[ |:-]*$/gm, '')
    .replace(/^\||\|$/gm, '')
    .replace(/^[-+] /gm, '')
    .replace(/[*_~`>#]+/g, (signs, at: number, text: string) => (isSign(text, at, signs) ? '' : signs))
    .replace(/\[([^[\]]*)\]\([^)\s]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = [...plain];
  return letters.length > MOST || body.length > READ ? `${letters.slice(0, MOST).join('')}…` : plain;
}

/** A sign of markup stands at the edge of a word; within one it is a letter. */
function isSign(text: string, at: number, signs: string): boolean {
  const [before, after] = [text[at - 1], text[at + signs.length]];
  if (signs.startsWith('#')) return (!before || before === '\n') && after === ' ';
  return !(before && /\w/.test(before) && after && /\w/.test(after));
}
