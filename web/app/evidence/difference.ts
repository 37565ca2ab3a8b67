/** The difference between two versions of a text, word by word. Pure. */

/** A run of words that are in both versions, only in the old one (`gone`), or only in the new one. */
export interface Stretch {
  text: string;
  change: 'same' | 'gone' | 'new';
}

/** The most words to compare: time grows with the product of both lengths. */
const MOST = 600;

/** Compare two versions of a message. Texts of more than 600 words are not compared: all of the old is gone, all of the new is new. */
export function differences(old: string, fresh: string): Stretch[] {
  const [before, after] = [wordsOf(old), wordsOf(fresh)];
  if (before.length > MOST || after.length > MOST)
    return joined([{ text: old, change: 'gone' }, { text: fresh, change: 'new' }]);
  return joined(walk(before, after, common(before, after)));
}

/** Return the lengths of the longest common subsequences: `lengths[i][j]` is that of the words from i and from j on. */
function common(before: string[], after: string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      (lengths[i] as number[])[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  return lengths;
}

function walk(before: string[], after: string[], lengths: number[][]): Stretch[] {
  const found: Stretch[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const stays = i < before.length && before[i] === after[j];
    const goes = i < before.length && (j >= after.length || (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0));
    if (stays) found.push({ text: before[i] ?? '', change: 'same' });
    else if (goes) found.push({ text: before[i] ?? '', change: 'gone' });
    else found.push({ text: after[j] ?? '', change: 'new' });
    i += Number(stays || goes);
    j += Number(stays || !goes);
  }
  return found;
}

const joined = (all: Stretch[]): Stretch[] =>
  all.reduce<Stretch[]>((done, one) => {
    const last = done.at(-1);
    if (last?.change === one.change) last.text += one.text;
    else if (one.text) done.push({ ...one });
    return done;
  }, []);

/** Words, single letters of scripts without spaces, and the characters between them. `Intl.Segmenter` takes quadratic time in V8. */
const WORD =
  /\p{RGI_Emoji}|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Mymr}]\p{M}*|[\p{L}\p{M}\p{N}_]+|\s+|./gsv;

const wordsOf = (text: string): string[] => text.match(WORD) ?? [];
