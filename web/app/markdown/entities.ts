/**
 * Stands in for the package `entities` in markdown-it: in a chat `&amp;` is what somebody typed, and a table
 * of two thousand names would be a quarter of the app.
 */
export const decodeHTMLStrict = (text: string): string => text;
