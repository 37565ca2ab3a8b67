/**
 * Replaces the package `entities` of markdown-it. In a chat `&amp;` is shown as typed, and the package's table of two
 * thousand names would be a quarter of the app.
 */
export const decodeHTMLStrict = (text: string): string => text;
