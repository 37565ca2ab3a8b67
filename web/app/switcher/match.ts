/** The score of a name for the text that was typed: its letters in order, best at the starts of words. Pure. */

/** Return the score: higher is better. Return null if the name does not match. */
export function score(name: string, typed: string): number | null {
  const [text, letters] = [fold(name), [...fold(typed).replace(/\s+/g, '')]];
  let [at, points] = [-1, 0];
  for (const letter of letters) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    if (next === at + 1) points += 2;
    if (next === 0 || /[\s._,-]/.test(text[next - 1] ?? '')) points += 3;
    at = next;
  }
  return points - text.length / 100;
}

/** Characters that are compared at most, because normalizing is quadratic in a run of combining marks. */
const MOST = 300;

/** Remove case and accents. */
function fold(text: string): string {
  return text.slice(0, MOST).normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}
