/** Return true for a text of one to six emoji, which is shown large. `isCustom` tells which `:name:` are some. Pure. */
export function isOnlyEmoji(text: string, isCustom: (sign: string) => boolean = () => false): boolean {
  const signs = /^(?:\s*(?:\p{RGI_Emoji}|:[a-z0-9_\-]{2,32}:)){1,6}\s*$/v.test(text);
  return signs && (text.match(/:[^:\s]+:/g) ?? []).every(isCustom);
}
