/** E-mail addresses in a text that the user has typed or pasted. Pure. */

/** Return the addresses, separated by white space, commas or semicolons, each once. `Ana <ana@example.com>` works too. */
export function addressesIn(text: string): string[] {
  const words = text.split(/[\s,;]+/).map((word) => word.replace(/^<|>$/g, ''));
  return [...new Set(words.filter((word) => word.includes('@')))];
}
