/** True for a few emoji and nothing else: they may stand large. Pure. */
export function isOnlyEmoji(text: string): boolean {
  return /^(?:\s*\p{RGI_Emoji}){1,6}\s*$/v.test(text);
}
