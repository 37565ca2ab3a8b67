/** Return true for a text of one to six emoji, which is shown large. Pure. */
export function isOnlyEmoji(text: string): boolean {
  return /^(?:\s*\p{RGI_Emoji}){1,6}\s*$/v.test(text);
}
