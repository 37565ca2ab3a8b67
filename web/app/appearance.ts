/**
 * What a text looks like, as on the server (`chat/shared/appearance.py`): names with equal keys look alike. Pure; time
 * grows linearly with the text.
 */

/** Characters that are shown as nothing. */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]/gu;

/** Return the key of a text. Equal keys look alike, in any case, width, composition and spacing. */
export function lookKey(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return oneSpaced(text.toLowerCase());
  // normalizing a long run of marks takes quadratic time
  const shown = limitMarks(text, 'key').replace(HIDDEN, '').replaceAll('\u2800', ' ');
  const folded = fold(shown.normalize('NFKD')).normalize('NFKC').replace(HIDDEN, '');
  return oneSpaced(fold(fold(folded).normalize('NFKC')));
}

const oneSpaced = (text: string) => text.trim().replace(/\s+/g, ' ');

/** Fold the case: in capitals first, because `ß` equals `ss`, and `ς` equals `σ`. Only `ı` does not equal `i`. */
function fold(text: string): string {
  const lower = (part: string) => part.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return text.split('ı').map(lower).join('ı');
}

const limitOf = (most: number) => new RegExp(`([\\p{Mn}\\p{Me}]{${most}})[\\p{Mn}\\p{Me}]+`, 'gu');
/** At most so many combining marks in a row: in a name (Unicode TS 39), in a text, and in a key. */
const LIMITS = { name: limitOf(4), text: limitOf(10), key: limitOf(30) };

/** Return the text without further combining marks, which would cover the lines around it. */
export function limitMarks(text: string, kind: keyof typeof LIMITS): string {
  return text.replace(LIMITS[kind], '$1');
}
