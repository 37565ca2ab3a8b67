/** What the app adds to rendered text: names as users chose them, custom emoji, buttons that copy code, and a note at its end. Pure. */
import { messages as m } from '../messages';

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => SIGNS[sign] ?? sign);

/** The button of a mention, and its text. In rendered text, a `<` is always that of an element. */
const BUTTON = /<button ([^<>]*)>(@[^<]*)/g;

/** Show mentioned users by their names instead of their usernames, which are in the title. */
export function withNames(html: string, name: (id: number) => string): string {
  return html.replace(BUTTON, (button: string, attributes: string, said: string) => {
    const id = /data-user="(\d+)"/.exec(attributes)?.[1];
    const shown = id && name(Number(id));
    return shown ? `<button ${attributes} title="${said}"><bdi>@${escaped(shown)}</bdi>` : button;
  });
}

/** A custom emoji, and its text. */
const EMOJI = /<span data-emoji="([a-z0-9_-]+)">(:[^<]*)<\/span>/g;

/** Show custom emoji as pictures, of which `picture` returns the address. */
export function withEmoji(html: string, picture: (name: string) => string): string {
  return html.replace(EMOJI, (text: string, name: string, sign: string) => {
    const address = picture(name);
    return address ? `<img class="custom-emoji" src="${escaped(address)}" alt="${sign}" title="${sign}" draggable="false">` : text;
  });
}

const ICON = '<svg width="15" height="15" viewBox="0 0 24 24" aria-hidden="true"><path d="M9 9h11v11H9zM15 9V4H4v11h5"/></svg>';

/** Put a button that copies it beside each block of code. */
export function withCopyButtons(html: string): string {
  if (!html.includes('<pre')) return html;
  const label = escaped(m.message.copyCode);
  const button = `<button type="button" class="copy" data-copy aria-label="${label}" title="${label}">${ICON}</button>`;
  return html.replaceAll('<pre', `<div class="block">${button}<pre`).replaceAll('</pre>', '</pre></div>');
}

/** Put a note at the end: in the last line if that is a paragraph, else below it. `title` explains the note. */
export function withNote(html: string, note: string, title: string): string {
  const small = `<small class="edited" title="${escaped(title)}">${escaped(note)}</small>`;
  const end = html.trimEnd();
  return end.endsWith('</p>') ? `${end.slice(0, -'</p>'.length)} ${small}</p>` : `${end}<p>${small}</p>`;
}
