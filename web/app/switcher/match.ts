/** How well a name answers what was typed: the letters in order, best at the starts of words. Pure. */

/** Higher is better; null when it does not answer. */
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

/** As much of a name or of what was typed is compared: normalizing is quadratic in a run of combining marks. */
const MOST = 300;

/** Without case and accents. */
function fold(text: string): string {
  return text.slice(0, MOST).normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}
