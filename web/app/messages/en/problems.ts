/** Texts for errors. In English the server's own texts are shown, so there are none for its errors. */
export const problems = {
  /** By the code of the error. */
  codes: {} as Record<string, string>,
  /** About a field, by the server's text with `#` for each number. They have the numbers in the same order. */
  fields: {} as Record<string, string>,
  /** A proxy's answer, or an error that this version of the app does not know. */
  status: (status: number): string => `The server answered ${status}.`,
};
